import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import { at, live, type TestPartition, tombstone } from './test-replica.ts';
import { TestSet } from './test-set.ts';

const OLD = 500_000;
const partitionOf = (set: TestSet, member: number): TestPartition =>
  set.replica(member).partitions[0] as TestPartition;
const watermarks = (set: TestSet) =>
  [...set.members.keys()].map((member) => partitionOf(set, member).watermark.wallMs);

test('a delete is collected on all replicas, and stays deleted', async () => {
  const set = new TestSet(settle);
  for (let i = 0; i < 50; i++) set.put(live(`key-${i}`, at(OLD)));
  set.put(tombstone('key-3', at(OLD + 5)));
  set.start();
  await set.pass(8000);
  for (const member of [1, 2, 3]) {
    assert.equal(partitionOf(set, member).records.size, 49);
    assert.equal(set.antiEntropy(member).status().counters.recordsCollected, 1);
  }
  const settled = watermarks(set);
  assert.ok(settled.every((wallMs) => wallMs > OLD + 5));
  const before = set.requests.get('floor');
  await set.pass(20_000);
  assert.equal(set.requests.get('floor'), before, 'no rounds where nothing waits for one');
  await set.stop();
});

// scylladb#3560, #8970

test('D11: a tombstone that did not reach every replica is not collected before it has', async () => {
  const set = new TestSet(settle);
  set.put(live('key', at(OLD)));
  set.put(tombstone('key', at(OLD + 5)), [1, 2]);
  set.isLost = (_, { what }) => what === 'store' || what === 'read';
  set.start();
  await set.pass(20_000);
  assert.deepEqual(set.held('key'), [-(OLD + 5), -(OLD + 5), OLD]);
  assert.deepEqual(watermarks(set), [0, 0, 0]);
  set.isLost = () => false;
  await set.pass(10_000);
  assert.deepEqual(set.held('key'), [undefined, undefined, undefined]);
  await set.stop();
});

test('a long-dead replica holds the watermark back, is named, and takes the deletes when it returns', async () => {
  const set = new TestSet(settle);
  set.put(live('key', at(OLD)));
  set.down.add(3);
  set.put(tombstone('key', at(OLD + 5)), [1, 2]);
  set.start();
  await set.pass(600_000);
  assert.deepEqual(set.held('key'), [-(OLD + 5), -(OLD + 5), OLD]);
  const rounds = [1, 2].flatMap((member) => set.antiEntropy(member).status().rounds);
  assert.deepEqual(
    rounds.map(({ outcome, reason }) => ({ outcome, reason })),
    [{ outcome: 'held-back', reason: 'node-3 is down' }],
  );
  assert.deepEqual(set.events, [], 'which is no error');
  set.down.clear();
  await set.pass(10_000);
  assert.deepEqual(set.held('key'), [undefined, undefined, undefined]);
  await set.stop();
});

// palantir/cassandra#705, CASSANDRA-20071

test('D13: a record that was read before its tombstone was collected is refused when it arrives', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('key', at(OLD)), [2]);
  let isDelayed = true;
  set.isLost = (_, { what }) => {
    if (what !== 'store' || !isDelayed) return false;
    isDelayed = false;
    for (const member of [1, 2]) {
      set.put(tombstone('key', at(OLD + 5)), [member]);
      const partition = partitionOf(set, member);
      partition.floor = at(OLD + 9);
      partition.watermark = at(OLD + 9);
      partition.remove('key');
    }
    return false;
  };
  set.start();
  await set.pass(10_000);
  assert.equal(isDelayed, false, 'a record was on its way');
  assert.deepEqual(set.held('key'), [undefined, undefined]);
  await set.stop();
});

// riak_kv#1094

test('D14: an old tombstone on one replica does not take a key that was written again', async () => {
  const set = new TestSet(settle);
  set.put(tombstone('key', at(OLD + 5)), [3]);
  set.put(live('key', at(OLD + 9)), [1, 2]);
  set.put(tombstone('garbage', at(OLD)));
  set.start();
  await set.pass(20_000);
  assert.deepEqual(set.held('key'), [OLD + 9, OLD + 9, OLD + 9]);
  assert.deepEqual(set.held('garbage'), [undefined, undefined, undefined]);
  await set.stop();
});

test('rounds that overlap all settle: floors and watermarks only rise', async () => {
  const set = new TestSet(settle);
  for (let i = 0; i < 20; i++) set.put(live(`key-${i}`, at(OLD)), [1 + (i % 3)]);
  const reports = Promise.all(
    [1, 2, 3].map(async (member) => {
      await set.pass(member);
      return await set.antiEntropy(member).verify();
    }),
  );
  for (const report of await set.until(reports)) assert.deepEqual([report.equal, report.problems], [1, []]);
  for (const member of [1, 2, 3]) assert.equal(partitionOf(set, member).records.size, 20);
  assert.equal(new Set(watermarks(set)).size, 1);
  await set.stop();
});

for (const stage of ['floor reply', 'walk', 'store', 'settled']) {
  test(`a round whose initiator dies at "${stage}" is harmless, and the next one settles`, async () => {
    const set = new TestSet(settle);
    set.put(tombstone('key', at(OLD + 5)), [1]);
    set.put(live('key', at(OLD)), [2, 3]);
    set.put(tombstone('other', at(OLD + 7)));
    set.isLost = (from, { what }) => {
      if (what === stage) set.down.add(1);
      return set.down.has(from);
    };
    const report = await set.until(set.antiEntropy(1).verify());
    assert.equal(report.equal, 0);
    assert.equal(report.problems.length, 1);
    set.isLost = () => false;
    set.down.clear();
    await set.restart(1, 2);
    set.start(2, 3);
    await set.pass(20_000);
    assert.deepEqual(set.held('key'), [undefined, undefined, undefined]);
    assert.deepEqual(set.held('other'), [undefined, undefined, undefined]);
    await set.stop();
  });
}

test('a lost "settled" leaves one watermark behind: its tombstone is not given to the others again', async () => {
  const set = new TestSet(settle);
  set.put(tombstone('key', at(OLD + 5)));
  set.isLost = (_, { to, what }) => what === 'settled' && to === 3;
  await set.until(set.antiEntropy(1).verify());
  await set.pass(1000);
  assert.deepEqual(set.held('key'), [undefined, undefined, -(OLD + 5)]);
  set.isLost = () => false;
  set.start();
  await set.pass(15_000);
  assert.deepEqual(set.held('key'), [undefined, undefined, undefined]);
  assert.equal(set.requests.get('store'), undefined);
  assert.deepEqual(set.events, []);
  await set.stop();
});

test('a round is void once the replica set changes: no watermark rises', async () => {
  const set = new TestSet(settle);
  set.put(tombstone('key', at(OLD + 5)), [1, 2]);
  set.isLost = (_, { what }) => {
    if (what === 'walk') set.setEpoch(2);
    return false;
  };
  const report = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual([report.equal, report.partitions], [0, 1]);
  assert.deepEqual(watermarks(set), [0, 0, 0]);
  await set.stop();
});

test('a round is void once its initiator alone has learned of a change', async () => {
  const set = new TestSet(settle);
  set.isLost = (_, { what }) => {
    if (what === 'walk') set.epoch = toEpoch(2);
    return false;
  };
  const report = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual(report.problems, ['partition 0: the replica set has changed']);
  assert.deepEqual(watermarks(set), [0, 0, 0]);
  await set.stop();
});

test('no round runs on a partition that moves, and no member confirms one', async () => {
  const set = new TestSet(settle);
  set.isMoving = true;
  const report = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual(report.problems, ['partition 0: the partition is moving']);
  const round = { initiator: 1, incarnation: 1, number: 1, floor: at(OLD) };
  const request = { type: 'round', to: 2, partition: 0, epoch: set.epoch, stage: 'floor', round } as const;
  const reply = await set.antiEntropy(2).answer(request, 1);
  assert.equal(reply.type === 'round' && reply.outcome.type, 'refused');
  assert.equal(partitionOf(set, 2).floor.wallMs, 0);
  await set.stop();
});

test('a floor whose partition changed while it became durable is not confirmed', async () => {
  const set = new TestSet(settle);
  partitionOf(set, 2).onFloor = () => set.setEpoch(2);
  const round = { initiator: 1, incarnation: 1, number: 1, floor: at(OLD) };
  const request = { type: 'round', to: 2, partition: 0, epoch: set.epoch, stage: 'floor', round } as const;
  const reply = await set.antiEntropy(2).answer(request, 1);
  assert.equal('code' in reply && reply.code, 'STALE_EPOCH');
  await set.stop();
});

test('a replica that refuses the floor, or whose tree is being built, holds the round back by name', async () => {
  const set = new TestSet(settle);
  partitionOf(set, 2).floorMaxMs = 0;
  const refused = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual(refused.problems, ['partition 0: node-2 did not confirm the floor']);
  partitionOf(set, 3).tree = undefined;
  const building = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual(building.problems, ['partition 0: the tree of node-3 is being built']);
  assert.deepEqual(watermarks(set), [0, 0, 0]);
  await set.stop();
});

// A node 8 h ahead must not keep what its clock made it promise: cockroach docs#7679, yugabyte#10628.

test('D3: a member whose clock is far ahead does not raise its own floor where the clocks of the others refuse it', async () => {
  const set = new TestSet(settle);
  set.put(tombstone('key', at(OLD)));
  for (const member of [2, 3]) partitionOf(set, member).floorMaxMs = OLD - 1;
  const report = await set.until(set.antiEntropy(1).verify([0]));
  assert.equal(report.equal, 0);
  assert.deepEqual(
    [1, 2, 3].map((member) => partitionOf(set, member).floor.wallMs),
    [0, 0, 0],
  );
  await set.stop();
});

test('D11: a replica that loses its tree in the middle of a round holds it back: what it does not list is not what it lacks', async () => {
  const set = new TestSet(settle);
  set.put(live('key', at(OLD)));
  for (const member of [1, 2, 3]) await partitionOf(set, member).raiseWatermark(at(OLD + 1));
  set.put(tombstone('key', at(OLD + 5)), [3]);
  const damaged = partitionOf(set, 3);
  set.isLost = (_, { to, what }) => {
    if (to === 3 && what === 'leaves') damaged.tree = undefined;
    return false;
  };
  const report = await set.until(set.antiEntropy(1).verify([0]));
  assert.deepEqual(watermarks(set), [OLD + 1, OLD + 1, OLD + 1], report.problems.join());
  set.isLost = () => false;
  damaged.rebuildTree();
  assert.equal((await set.until(set.antiEntropy(1).verify([0]))).equal, 1);
  await set.pass(5000);
  assert.deepEqual(
    set.held('key'),
    [undefined, undefined, undefined],
    'the delete reached all before it went',
  );
  await set.stop();
});

test('new keys that are on their way all the time do not keep a round from settling', async () => {
  const set = new TestSet(settle);
  const verified = set.antiEntropy(1).verify();
  for (let i = 0; i < 300; i++) {
    const record = live(`key-${i}`, at(set.clock.nowMs(), i));
    set.put(record, [1 + (i % 3)]);
    await set.pass(1);
    set.put(record);
  }
  const report = await set.until(verified);
  assert.deepEqual(report.problems, []);
  await set.stop();
});

test('a key that is written in the middle of a round, at or below the floor nowhere, is no obstacle', async () => {
  const set = new TestSet(settle);
  set.put(live('key', at(OLD)), [1, 2]);
  let isFirst = true;
  set.isLost = (_, { what }) => {
    if (what === 'leaves reply' && isFirst) {
      isFirst = false;
      set.put(live('key', at(set.clock.nowMs())), [2]);
    }
    return false;
  };
  const report = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual([report.equal, report.problems], [1, []]);
  assert.ok(set.held('key').every((wallMs) => wallMs !== undefined));
  await set.stop();
});
