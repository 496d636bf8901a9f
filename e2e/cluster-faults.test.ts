import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkObstacle } from './lib/network.ts';
import { TestDirectory } from './lib/test-directory.ts';
import { handoverSoak, leaderSoak } from './soak/leader.ts';
import { partitionSoak } from './soak/partition.ts';
import { pauseSoak } from './soak/pause.ts';
import { restartSoak } from './soak/restart.ts';
import type { Soak } from './soak/soak.ts';

/** The runs of `./dev.sh soak` with five nodes, with a few rounds. Each throws at the first thing that must not be. */
const FAULTS: Readonly<Record<string, { readonly soak: Soak; readonly rounds: number }>> = {
  'kill -9 of the leader under changes: another one leads, nothing is lost': { soak: leaderSoak, rounds: 3 },
  'SIGTERM of the leader: it hands over, without an election': { soak: handoverSoak, rounds: 2 },
  'SIGSTOP of the leader for 10 s: awake, it answers nothing stale': { soak: pauseSoak, rounds: 1 },
  'all nodes killed, started with other addresses: the same cluster': { soak: restartSoak, rounds: 1 },
};
for (const [name, { soak, rounds }] of Object.entries(FAULTS)) test(name, () => short(soak, rounds));

test(
  'scenario 12: two of five cut off refuse, three go on, and healing needs no hands',
  {
    skip: networkObstacle() ?? false,
  },
  () => short(partitionSoak, 1),
);

async function short(soak: Soak, rounds: number): Promise<void> {
  using directory = new TestDirectory();
  const lines: string[] = [];
  const progress = (text: string): void => void lines.push(text);
  const options = { directory: directory.path, engine: 'auto', rounds, writers: 0, progress };
  const summary = await soak(options).catch((error: unknown) => {
    throw new Error(`${String((error as Error).message)}\nbefore that:\n${lines.join('\n')}`, {
      cause: error,
    });
  });
  assert.match(summary, new RegExp(`^${rounds} `));
  process.stdout.write(`# ${summary}\n`);
}
