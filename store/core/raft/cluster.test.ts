import { test } from 'node:test';
import { RaftWorld } from '../../sim/raft/world.ts';

/**
 * A group under random faults, checked at every step. `RAFT_SEEDS=50000 ./dev.sh test raft/cluster` runs more,
 * `RAFT_SEED=4711 ./dev.sh test raft/cluster` replays one with its trace.
 */
const SEEDS = Number(process.env.RAFT_SEEDS ?? 2000);
const FIRST = Number(process.env.RAFT_FIRST_SEED ?? 1);
const REPLAYED = process.env.RAFT_SEED;

test('R23: a group under loss, partitions, crashes and changes of membership keeps every promise', (t) => {
  if (REPLAYED !== undefined) {
    new RaftWorld(Number(REPLAYED), console.log).run();
    return;
  }
  let steps = 0;
  let committed = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const report = runSeed(seed);
    steps += report.steps;
    committed += report.committed;
  }
  t.diagnostic(`${SEEDS} seeds, ${steps} steps, ${committed} entries committed`);
});

function runSeed(seed: number) {
  try {
    return new RaftWorld(seed).run();
  } catch (cause) {
    const replay = `RAFT_SEED=${seed} ./dev.sh test raft/cluster`;
    throw new Error(`seed ${seed} fails (${cause}); replay it with its trace: ${replay}`, { cause });
  }
}
