import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { DEFAULT_EXCHANGE_LIMITS } from './exchange-options.ts';
import { at, leafOf, live, tombstone } from './test-replica.ts';
import { TestSet } from './test-set.ts';

const OLD = 500_000;

/** `count` keys that all members hold. */
function filled(set: TestSet, count: number): void {
  for (let i = 0; i < count; i++) set.put(live(`key-${i}`, at(OLD + i)));
}

const roots = (set: TestSet) =>
  [...set.members.values()].map(({ replica }) => replica.partitions[0]?.tree?.root());

test('an exchange repairs both ways, and equal replicas are left alone', async () => {
  const set = new TestSet(settle);
  filled(set, 100);
  set.put(live('only on 1', at(OLD)), [1]);
  set.put(live('only on 3', at(OLD)), [3]);
  set.put(live('key-7', at(OLD + 900)), [2]);
  set.start();
  await set.pass(5000);
  assert.deepEqual(set.held('only on 1'), [OLD, OLD, OLD]);
  assert.deepEqual(set.held('only on 3'), [OLD, OLD, OLD]);
  assert.deepEqual(set.held('key-7'), [OLD + 900, OLD + 900, OLD + 900]);
  const [first, ...others] = roots(set);
  for (const other of others) assert.deepEqual(other, first);
  const before = new Map(set.requests);
  await set.pass(10_000);
  assert.equal(set.requests.get('walk'), before.get('walk'), 'no walk of equal trees');
  assert.equal(set.requests.get('store'), before.get('store'));
  assert.equal((set.requests.get('roots') ?? 0) - (before.get('roots') ?? 0), 30, 'one a pair and interval');
  assert.equal(set.antiEntropy(1).status().differing, 0);
  await set.stop();
});

for (const drifted of [10, 100]) {
  test(`${drifted} drifted keys of 4000 cost what they weigh, not what the partition weighs`, async (t) => {
    const set = new TestSet(settle, { members: 2 });
    filled(set, 4000);
    for (let i = 0; i < drifted; i++) set.put(live(`key-${i}`, at(OLD * 2 - 50_000 + i)), [1]);
    set.start();
    await set.pass(5000);
    assert.equal(set.replica(2).partitions[0]?.records.get('key-9')?.version.wallMs, OLD * 2 - 50_000 + 9);
    const counters = [1, 2].map((member) => set.antiEntropy(member).status().counters);
    const repaired = counters.reduce((sum, { keysRepaired }) => sum + keysRepaired, 0);
    const comparedBytes = counters.reduce((sum, counter) => sum + counter.comparedBytes, 0);
    assert.equal(repaired, drifted);
    assert.equal(set.replica(1).stores + set.replica(2).stores, drifted, 'each record travels once');
    t.diagnostic(`${comparedBytes / drifted} bytes of hashes and keys for each key`);
    assert.ok(comparedBytes / drifted < 1000);
    await set.stop();
  });
}

test('a write on its way is not counted as a difference, on this side or the other', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('mine', at(OLD)), [1]);
  set.replica(1).partitions[0]?.inFlight.add(leafOf('mine'));
  set.replica(2).partitions[0]?.inFlight.add(leafOf('mine'));
  set.start();
  await set.pass(5000);
  assert.equal(set.requests.get('leaves'), undefined, 'excluded from the walk');
  for (const member of [1, 2]) set.replica(member).partitions[0]?.inFlight.clear();
  await set.pass(5000);
  assert.deepEqual(set.held('mine'), [OLD, OLD]);
  await set.stop();
});

test('a write of this moment is left to arrive by itself, also where that takes long', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.start();
  for (let i = 0; i < 20; i++) {
    const record = live(`hot-${i}`, at(set.clock.nowMs()));
    set.put(record, [1]);
    await set.pass(300);
    set.put(record, [2]);
  }
  assert.ok((set.requests.get('leaves') ?? 0) > 0, 'the keys were compared');
  assert.equal(set.requests.get('store') ?? set.requests.get('read'), undefined);
  await set.stop();
});

test('leaves that are equal again at the second walk are not listed', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('key', at(OLD)), [1]);
  set.isLost = (_, { what }) => {
    if (what === 'walk') set.clock.setTimer(20, () => set.put(live('key', at(OLD))));
    return false;
  };
  set.start();
  await set.pass(3000);
  assert.ok((set.requests.get('walk') ?? 0) > 0);
  assert.equal(set.requests.get('leaves'), undefined);
  await set.stop();
});

test('D17: a tree that does not follow its data is built again, on the side that is wrong, and no key travels', async () => {
  for (const wrong of [1, 2, 3]) {
    const set = new TestSet(settle);
    filled(set, 50);
    const partition = set.replica(wrong).partitions[0];
    partition?.tree?.update({ high: 5, low: 5 }, undefined, { high: 77, low: 77 });
    set.start();
    await set.pass(20_000);
    const rebuilds = [1, 2, 3].map((member) => set.replica(member).partitions[0]?.rebuilds);
    assert.deepEqual(
      rebuilds,
      [1, 2, 3].map((member) => (member === wrong ? 1 : 0)),
    );
    assert.deepEqual(set.events, [{ type: 'tree-rebuilt', partition: 0, at: wrong }]);
    assert.equal(set.requests.get('store'), undefined);
    const before = set.requests.get('walk');
    await set.pass(10_000);
    assert.equal(set.requests.get('walk'), before, 'the walks have ended');
    await set.stop();
  }
});

test('D18: a delete reaches the tree: a replica that missed it is found, and takes it', async () => {
  const set = new TestSet(settle);
  filled(set, 20);
  set.put(tombstone('key-3', at(OLD + 500)), [1, 2]);
  set.start(1, 2, 3);
  set.down.clear();
  await set.pass(2500);
  assert.ok(set.held('key-3').every((held) => held === -(OLD + 500) || held === undefined));
  await set.stop();
});

// CASSANDRA-19336: trees and differences of many ranges at once fill the memory.
test('D20: no more partitions are walked at once than the limit, whatever differs', async () => {
  const limits = { ...DEFAULT_EXCHANGE_LIMITS, walksMax: 2 };
  const set = new TestSet(settle, { members: 6, partitions: 32, options: { limits } });
  for (let partition = 0; partition < 32; partition++) set.put(live('drift', at(OLD)), [1, 4], partition);
  const open = new Map<number, number>();
  let openMax = 0;
  const count = (member: number, change: number) => open.set(member, (open.get(member) ?? 0) + change);
  set.isLost = (from, { to, what }) => {
    if (what === 'walk' || what === 'leaves') count(from, 1);
    if (what === 'walk reply' || what === 'leaves reply') count(to, -1);
    openMax = Math.max(openMax, ...open.values());
    return false;
  };
  set.start();
  await set.pass(20_000);
  for (let partition = 0; partition < 32; partition++)
    assert.deepEqual(set.held('drift', partition), [OLD, OLD, OLD, OLD, OLD, OLD]);
  assert.ok(openMax <= 2, `${openMax} walks`);
  await set.stop();
});

test('an exchange is paced', async () => {
  const set = new TestSet(settle, { members: 2, options: { bytesPerSecond: 10_000 } });
  for (let i = 0; i < 100; i++) set.put(live(`key-${i}`, at(OLD), 'x'.repeat(900)), [1]);
  set.start();
  await set.pass(4000);
  const early = set.replica(2).partitions[0]?.records.size ?? 0;
  assert.ok(early > 0 && early < 60, `${early} keys in four seconds at ten a second`);
  await set.pass(12_000);
  assert.equal(set.replica(2).partitions[0]?.records.size, 100);
  await set.stop();
});

test('a large value shrinks the group that travels at once', async () => {
  const limits = {
    ...(await import('./exchange-options.ts')).DEFAULT_EXCHANGE_LIMITS,
    carriedBytesMax: 4000,
  };
  const set = new TestSet(settle, { members: 2, options: { limits } });
  for (let i = 0; i < 60; i++) set.put(live(`key-${i}`, at(OLD), 'x'.repeat(900)), [1]);
  let open = 0;
  let afterFirst = 0;
  set.isLost = (_, { what }) => {
    open += what === 'store' ? 1 : what === 'store reply' ? -1 : 0;
    if ((set.replica(2).stores ?? 0) > 16) afterFirst = Math.max(afterFirst, open);
    return false;
  };
  set.start();
  await set.pass(5000);
  assert.equal(set.replica(2).partitions[0]?.records.size, 60);
  assert.ok(afterFirst <= 4, `${afterFirst} records at once`);
  await set.stop();
});

test('pages of keys are merged however they are cut', async () => {
  const limits = { ...DEFAULT_EXCHANGE_LIMITS, leafEntriesMax: 3 };
  const set = new TestSet(settle, { members: 2, options: { limits } });
  filled(set, 40);
  for (let i = 0; i < 40; i++) set.put(live(`new-${i}`, at(OLD)), [1 + (i % 2)]);
  set.start();
  await set.pass(6000);
  assert.equal(set.replica(1).partitions[0]?.records.size, 80);
  assert.equal(set.replica(2).partitions[0]?.records.size, 80);
  await set.stop();
});

test('a replica set that changed in the middle of an exchange: nothing travels under the old epoch', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('mine', at(OLD)), [1]);
  set.isLost = (_, { what }) => {
    if (what === 'leaves reply' && set.epoch === 1) set.setEpoch(2);
    return false;
  };
  set.start();
  await set.pass(1500);
  await set.pass(5000);
  assert.deepEqual(set.held('mine'), [OLD, OLD], 'read and sent again under the new one');
  await set.stop();
});

test('an exchange that loses messages goes on at the next interval', async () => {
  const set = new TestSet(settle, { members: 2 });
  filled(set, 200);
  for (let i = 0; i < 50; i++) set.put(live(`new-${i}`, at(OLD)), [2]);
  let count = 0;
  set.isLost = () => ++count % 7 === 0;
  set.start();
  await set.pass(60_000);
  assert.equal(set.replica(1).partitions[0]?.records.size, 250);
  await set.stop();
});
