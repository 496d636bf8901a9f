import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions, formatVersion, type Version } from '../version/version.ts';
import { type Client, type Happened, keyOf, nextWorlds, reader, type World, writer } from './dumb-cluster.ts';
import { isLinearizable, type Operation } from './linearizable.ts';

/** Every interleaving of a few clients over three replicas, with lost messages. A failing history is printed. */

const text = (version: Version | undefined) => (version === undefined ? '' : formatVersion(version));

test('isLinearizable: a read that goes back, a lost write and a read of the future are seen', () => {
  const op = (type: 'read' | 'write', value: string, beganAt: number, endedAt?: number): Operation => ({
    type,
    value,
    beganAt,
    endedAt,
  });
  assert.ok(isLinearizable([op('write', 'a', 0, 9), op('read', '', 1, 2), op('read', 'a', 3, 4)]));
  assert.ok(!isLinearizable([op('write', 'a', 0, 9), op('read', 'a', 1, 2), op('read', '', 3, 4)]));
  assert.ok(!isLinearizable([op('write', 'a', 0, 1), op('read', '', 2, 3)]));
  assert.ok(!isLinearizable([op('read', 'a', 0, 1), op('write', 'a', 2, 3)]));
  assert.ok(isLinearizable([op('write', 'a', 0), op('read', '', 1, 2), op('read', 'a', 3, 4)]));
});

function operationsOf({ clients, history }: World): readonly Operation[] {
  return clients.flatMap((client, index): Operation[] => {
    const at = (event: Happened['event']) =>
      history.findIndex((one) => one.client === index && one.event === event);
    const beganAt = at('began');
    if (beganAt < 0) return [];
    const ended = history[at('ended')];
    const endedAt = ended === undefined ? undefined : at('ended');
    if (client.type === 'reader')
      return ended ? [{ type: 'read', value: text(ended.version), beganAt, endedAt }] : [];
    return client.write.version
      ? [{ type: 'write', value: text(client.write.version), beganAt, endedAt }]
      : [];
  });
}

/** Versions of reads that followed each other never fall. */
function goesBack({ clients, history }: World): boolean {
  const reads = history.filter(
    ({ client, event }) => clients[client]?.type === 'reader' && event === 'ended',
  );
  return reads.some((later) => {
    const began = history.findIndex(({ client, event }) => client === later.client && event === 'began');
    return reads.some((earlier) => {
      if (history.indexOf(earlier) > began || earlier.version === undefined) return false;
      return later.version === undefined || compareVersions(earlier.version, later.version) > 0;
    });
  });
}

/** Visits each reachable world once; returns how many there are. */
function explore(clients: readonly Client[], lossesLeft: number): number {
  const open: World[] = [{ replicas: new Map(), clients, lossesLeft, mayBegin: true, history: [] }];
  const seen = new Set<string>();
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    for (const next of nextWorlds(world)) {
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      if (next.history !== world.history) check(next);
      open.push(next);
    }
  }
  return seen.size;
}

function check(world: World): void {
  const told = () => JSON.stringify(world.history);
  assert.ok(isLinearizable(operationsOf(world)), `not linearizable: ${told()}`);
  assert.ok(!goesBack(world), `a read went back: ${told()}`);
}

const scenarios: Record<string, readonly [clients: readonly Client[], losses: number]> = {
  'one writer, two readers, two losses': [[writer([1, 2, 3], 1), reader([1, 3, 2]), reader([2, 3, 1])], 2],
  'two writers, the second with a slow clock, one reader, one loss': [
    [writer([1, 2, 3], 9), writer([2, 3, 1], 1), reader([3, 1, 2])],
    1,
  ],
  'two writers, two readers': [
    [writer([1, 2, 3], 9), writer([2, 3, 1], 1), reader([1, 3, 2]), reader([2, 3, 1])],
    0,
  ],
};

for (const [name, [clients, losses]] of Object.entries(scenarios)) {
  test(`small model: ${name}: linearizable, and reads never go back`, (t) => {
    const worlds = explore(clients, losses);
    t.diagnostic(`${worlds} worlds`);
    assert.ok(worlds > 1000, `only ${worlds} worlds were reached`);
  });
}
