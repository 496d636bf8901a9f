import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import type { ReplicaRefusalCode } from '../../peer/replica-messages.ts';
import { hintKey } from '../../storage/key-layout.ts';
import type { HintOptions } from './hint-keeper.ts';
import { at, HintWorld, hintFor, PARTITION, SELF } from './test-world.ts';

const PLACE = { partition: PARTITION, namespaceId: 7 };
const keyOf = (name: string) => ({ ...PLACE, key: Buffer.from(name) });
const dropped = (world: HintWorld): Record<string, number> => Object.fromEntries(world.counts.dropped);

/** A world in which member 2 is down. */
function withOwnerDown(options: Partial<HintOptions> = {}): HintWorld {
  const world = new HintWorld(settle, options);
  world.setUp(2, false);
  return world;
}

test('D19: hints survive a restart and are replayed once their owner is back, each to its own owner', async () => {
  const world = withOwnerDown();
  world.setUp(3, false);
  for (let i = 0; i < 400; i++) world.keeper.keep(hintFor(2, `key-${i}`, at(i + 1)));
  world.keeper.keep(hintFor(3, 'other', at(9)));
  await world.run(100);
  await world.crash();
  await world.run(100);
  const { count, bytes, owners } = world.keeper.status();
  assert.equal(count, 401);
  assert.deepEqual(
    owners.map(({ owner, count: of }) => [owner, of]),
    [
      [2, 400],
      [3, 1],
    ],
  );
  assert.equal(
    bytes,
    owners.reduce((sum, each) => sum + each.bytes, 0),
  );
  world.setUp(2, true);
  await world.run(2000);
  assert.equal(world.owner(2).held.size, 400);
  assert.equal(world.owner(3).held.size, 0);
  assert.equal(world.keeper.status().count, 1);
  assert.equal(world.counts.replayed, 400);
  // Removals are not synced by themselves; the next hint takes them along.
  world.keeper.keep(hintFor(3, 'another', at(9)));
  await world.run(100);
  await world.crash();
  await world.run(100);
  assert.equal(world.keeper.status().count, 2, 'what was replayed is gone from the disk');
});

test('keep: what was not kept durably is lost with the power, what was is not, and nothing is counted twice', async () => {
  const world = withOwnerDown();
  world.keeper.keep(hintFor(2, 'a', at(1)));
  await world.run(100);
  world.disk.faults.syncDelayMs = 10_000;
  world.keeper.keep(hintFor(2, 'b', at(1)));
  await world.run(100);
  assert.equal(world.keeper.status().count, 1, 'not before it is durable');
  world.disk.faults.syncDelayMs = 0;
  await world.crash();
  await world.run(100);
  assert.equal(world.keeper.status().count, 1);
});

test('keep: only the newest version for an owner and a key, in whatever order they come', async () => {
  const world = withOwnerDown();
  for (const wallMs of [5, 9, 7]) world.keeper.keep(hintFor(2, 'a', at(wallMs), 'x'.repeat(wallMs)));
  await world.run(100);
  world.keeper.keep(hintFor(2, 'a', at(8)));
  await world.run(100);
  assert.deepEqual(await world.keeper.ofKey(keyOf('a')), [{ owner: 2, version: at(9) }]);
  assert.deepEqual(await world.keeper.ofKey(keyOf('b')), []);
  const { bytes, count } = world.keeper.status();
  const stored = await world.engine.get(hintKey(2, keyOf('a')));
  assert.deepEqual([count, bytes], [1, (stored?.length ?? 0) + hintKey(2, keyOf('a')).length]);
  world.setUp(2, true);
  await world.run(1000);
  assert.deepEqual(world.owner(2).held.get('a'), at(9));
  assert.deepEqual(world.keeper.status(), { bytes: 0, count: 0, owners: [] });
});

test('D12: a hint at or below the floor is refused by its owner, and dropped', async () => {
  const world = withOwnerDown();
  world.keeper.keep(hintFor(2, 'deleted', at(10)));
  world.keeper.keep(hintFor(2, 'edge', at(20)));
  world.keeper.keep(hintFor(2, 'later', at(21)));
  await world.run(100);
  world.owner(2).floor = at(20);
  world.setUp(2, true);
  await world.run(1000);
  assert.deepEqual([...world.owner(2).held.keys()], ['later']);
  assert.deepEqual(dropped(world), { 'below-floor': 2 });
  assert.equal(world.keeper.status().count, 0);
});

test('D14: an old tombstone kept as a hint does not take a key away that was made again', async () => {
  const world = withOwnerDown();
  world.keeper.keep(hintFor(2, 'again', at(10), ''));
  await world.run(100);
  world.owner(2).held.set('again', at(30));
  world.setUp(2, true);
  await world.run(1000);
  assert.deepEqual(world.owner(2).held.get('again'), at(30));
  assert.equal(world.keeper.status().count, 0, 'something newer is held: the hint has no work left');
});

test('replay: a newer hint that comes while the older one is on its way stays', async () => {
  const world = withOwnerDown();
  world.answerAfterMs = 300;
  world.keeper.keep(hintFor(2, 'a', at(1)));
  await world.run(100);
  world.setUp(2, true);
  await world.run(100);
  assert.equal(world.inFlight, 1);
  world.keeper.keep(hintFor(2, 'a', at(2)));
  await world.run(400);
  assert.deepEqual(await world.keeper.ofKey(keyOf('a')), [{ owner: 2, version: at(2) }]);
  await world.run(2000);
  assert.deepEqual(world.owner(2).held.get('a'), at(2));
  assert.equal(world.keeper.status().count, 0);
});

for (const [code, reason] of [
  ['NAMESPACE_NOT_FOUND', 'namespace-dropped'],
  ['NOT_OWNER', 'not-owner'],
  ['BELOW_FLOOR', 'below-floor'],
] as const) {
  test(`replay: ${code} drops the hint as ${reason}`, async () => {
    const world = new HintWorld(settle);
    world.owner(2).refuses = code;
    world.keeper.keep(hintFor(2, 'a', at(1)));
    await world.run(2000);
    assert.deepEqual(dropped(world), { [reason]: 1 });
    assert.equal(world.keeper.status().count, 0);
  });
}

const kept: ReplicaRefusalCode[] = ['STALE_EPOCH', 'EPOCH_UNKNOWN', 'OVERLOADED', 'STORAGE_FULL', 'STOPPING'];
for (const code of kept) {
  test(`replay: ${code} keeps the hint, and it is offered again ever more seldom until it is taken`, async () => {
    const world = new HintWorld(settle);
    world.owner(2).refuses = code;
    world.keeper.keep(hintFor(2, 'a', at(1)));
    await world.run(40_000);
    const attempts = world.sent.length;
    assert.ok(attempts >= 4 && attempts <= 8, `${attempts} attempts in 40 s`);
    assert.equal(world.keeper.status().count, 1);
    world.owner(2).refuses = undefined;
    await world.run(60_000);
    assert.deepEqual(world.owner(2).held.get('a'), at(1));
    assert.deepEqual(dropped(world), {});
  });
}

test('replay: one refused hint does not keep back the others', async () => {
  const world = new HintWorld(settle);
  world.owner(2).floor = at(5);
  for (let i = 1; i <= 9; i++) world.keeper.keep(hintFor(2, `key-${i}`, at(i)));
  await world.run(2000);
  assert.equal(world.owner(2).held.size, 4);
  assert.equal(world.keeper.status().count, 0);
});

test('replay: an owner out of reach is left alone after the first requests, and gets all when it is back', async () => {
  const world = withOwnerDown();
  for (let i = 0; i < 500; i++) world.keeper.keep(hintFor(2, `key-${i}`, at(1)));
  await world.run(100);
  world.owner(2).isReachable = false;
  world.setUp(2, true);
  await world.run(200);
  assert.ok(world.sent.length <= 64, `${world.sent.length} sent`);
  world.setUp(2, false);
  world.owner(2).isReachable = true;
  world.setUp(2, true);
  await world.run(2000);
  assert.equal(world.owner(2).held.size, 500);
});

test('replay: paced by bytes and bounded in flight', async () => {
  const world = withOwnerDown({ replayBytesPerSecond: 100_000 });
  world.answerAfterMs = 200;
  for (let i = 0; i < 300; i++) world.keeper.keep(hintFor(2, `key-${i}`, at(1), 'x'.repeat(1000)));
  await world.run(500);
  world.setUp(2, true);
  await world.run(10_000, 5);
  assert.equal(world.owner(2).held.size, 300);
  assert.ok(world.inFlightMost <= 64 && world.inFlightMost > 1);
  const [first, last] = [world.sent[0]?.atMs ?? 0, world.sent.at(-1)?.atMs ?? 0];
  const bytesPerSecond = (300 * 1040) / ((last - first) / 1000);
  assert.ok(bytesPerSecond < 115_000 && bytesPerSecond > 70_000, `${bytesPerSecond} bytes a second`);
});

test('replay: waits for a placement, and goes by the epoch that is applied by then', async () => {
  const world = new HintWorld(settle);
  world.isPlaced = false;
  world.keeper.keep(hintFor(2, 'a', at(1)));
  await world.run(3000);
  assert.equal(world.sent.length, 0);
  world.isPlaced = true;
  world.epoch = world.owner(2).epoch = (world.epoch + 1) as typeof world.epoch;
  await world.run(60_000);
  assert.deepEqual(world.owner(2).held.get('a'), at(1));
});

test('an owner that was removed, or is in the set no more, loses its hints', async () => {
  const world = withOwnerDown();
  world.setUp(3, false);
  world.keeper.keep(hintFor(2, 'a', at(1)));
  world.keeper.keep(hintFor(3, 'a', at(1)));
  await world.run(100);
  world.members.delete(2);
  world.changed();
  await world.run(100);
  assert.deepEqual(dropped(world), { 'owner-removed': 1 });
  world.set = [1, 4, 5];
  world.setUp(3, true);
  await world.run(1000);
  assert.deepEqual(dropped(world), { 'owner-removed': 1, 'not-owner': 1 });
  assert.equal(world.sent.length, 0);
  assert.deepEqual(world.keeper.status(), { bytes: 0, count: 0, owners: [] });
  assert.deepEqual(await world.keeper.ofKey(keyOf('a')), []);
  assert.equal(await world.engine.get(hintKey(2, keyOf('a'))), undefined);
});

test('limits: bytes, the backlog, age and the space guard leave hints out, and say so', async () => {
  const world = withOwnerDown({ bytesMax: 3000, backlogBytesMax: 2000, ageMsMax: 10_000 });
  const large = 'x'.repeat(900);
  for (const name of ['a', 'b', 'c']) world.keeper.keep(hintFor(2, name, at(1), large));
  assert.deepEqual(dropped(world), { 'backlog-limit': 1 });
  await world.run(100);
  world.keeper.keep(hintFor(2, 'c', at(1), large));
  await world.run(100);
  world.keeper.keep(hintFor(2, 'd', at(1), large));
  assert.deepEqual(dropped(world), { 'backlog-limit': 1, 'bytes-limit': 1 });
  assert.equal(world.keeper.status().count, 3);
  assert.ok(world.keeper.status().bytes <= 3000);
  await world.run(13_000);
  assert.deepEqual(dropped(world), { 'backlog-limit': 1, 'bytes-limit': 1, age: 3 });
  world.isFull = true;
  world.keeper.keep(hintFor(2, 'e', at(1)));
  await world.run(100);
  assert.equal(world.counts.dropped.get('space'), 1);
  assert.deepEqual(world.keeper.status(), { bytes: 0, count: 0, owners: [] });
});

test('limits: the age of the oldest is known, and only what is too old goes', async () => {
  const world = withOwnerDown({ ageMsMax: 10_000 });
  world.keeper.keep(hintFor(2, 'old', at(1)));
  await world.run(6000);
  world.keeper.keep(hintFor(2, 'young', at(1)));
  await world.run(100);
  assert.equal(world.keeper.status().owners[0]?.oldestMs, 6100);
  await world.run(6000);
  assert.equal(world.keeper.status().count, 1);
  assert.deepEqual(await world.keeper.ofKey(keyOf('old')), []);
  assert.ok((world.keeper.status().owners[0]?.oldestMs ?? 0) < 7000);
});

test('a damaged hint is dropped, also when it is found at the start, and never sent', async () => {
  const world = withOwnerDown();
  world.keeper.keep(hintFor(2, 'a', at(1)));
  world.keeper.keep(hintFor(2, 'b', at(1)));
  await world.run(100);
  assert.ok(world.disk.corrupt(hintKey(2, keyOf('a'))));
  await world.crash();
  await world.run(100);
  assert.deepEqual(dropped(world), { corrupt: 1 });
  assert.equal(world.keeper.status().count, 1);
  assert.ok(world.disk.corrupt(hintKey(2, keyOf('b'))));
  world.setUp(2, true);
  await world.run(1000);
  assert.deepEqual(dropped(world), { corrupt: 2 });
  assert.deepEqual([world.sent.length, world.keeper.status().bytes], [0, 0]);
});

test('a failed disk ends the keeping of hints with one report, and nothing throws', async () => {
  const world = withOwnerDown();
  await world.run(100);
  world.disk.faults.failNextSync = true;
  world.keeper.keep(hintFor(2, 'a', at(1)));
  await world.run(100);
  world.keeper.keep(hintFor(2, 'b', at(1)));
  await world.run(100);
  assert.equal(world.errors.length, 1);
});

test('stop: what was kept is on the disk, and nothing runs any more', async () => {
  const world = withOwnerDown();
  world.keeper.keep(hintFor(2, 'a', at(1)));
  world.keeper.keep(hintFor(SELF, 'a', at(1)));
  await world.keeper.stop();
  assert.equal(world.clock.nextDueMs(), undefined);
  world.keeper.keep(hintFor(2, 'b', at(1)));
  await world.crash();
  await world.run(100);
  assert.equal(world.keeper.status().count, 1);
});
