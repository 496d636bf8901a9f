import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HASH_BYTES, hashKey } from '../../core/merkle/entry-hash.ts';
import { settle } from '../../io/settle.ts';
import type { KeyAt } from '../../peer/data-messages.ts';
import { metaKey } from '../../storage/key-layout.ts';
import { bytesOf, START_MS, TestReplica, versionOf } from './test-replica.ts';

const V = START_MS - 100;
const OLD = START_MS - 20_000;

/** In each partition: building a tree of it has to wait for the clock. */
const MORE_THAN_A_PAGE = 1100;

async function assertTrees(t: TestReplica): Promise<void> {
  await t.trees(settle);
  for (const partition of [0, 1]) {
    const { tree } = t.owned(partition);
    const fresh = t.treeOfDisk(partition);
    assert.deepEqual(tree?.leafWords(), fresh.leafWords());
    assert.equal(tree?.entryCount, fresh.entryCount);
  }
}

const leafOf = (t: TestReplica, key: string): number => t.treeOfDisk(0).leafOf(hashKey(1, bytesOf(key)));

async function fill(t: TestReplica, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await t.store(`${i % 2 === 0 ? 'a' : 'z'}${i}`, { wallMs: V, value: `${i}` });
}

// D18 (riak_kv#478, riak_core#830): deletes did not reach the tree; an emptied tree was not an empty one.
test('D18 writes, deletes and collections reach the tree, and an emptied one is a new one', async () => {
  const t = await TestReplica.open();
  await assertTrees(t);
  const empty = t.treeOfDisk(0).root();
  for (const wallMs of [OLD, OLD + 1]) await t.store('a', { wallMs, value: `${wallMs}` });
  await assertTrees(t);
  assert.notDeepEqual(t.owned().tree?.root(), empty);
  await t.store('a', { wallMs: OLD + 2 });
  await t.store('b', { wallMs: OLD + 2, value: 'x', expiresAtMs: OLD + 3 });
  await assertTrees(t);
  await t.owned().raiseWatermark(versionOf(OLD + 5));
  assert.equal(await t.owned().collect(10), 2);
  await assertTrees(t);
  assert.deepEqual(t.owned().tree?.root(), empty);
});

test('trees are kept over a clean stop only', async () => {
  const t = await TestReplica.open();
  await fill(t, MORE_THAN_A_PAGE);
  await t.trees(settle);
  await t.restart();
  assert.notEqual(t.owned().tree, undefined, 'it was kept');
  await assertTrees(t);
  await t.store('a1', { wallMs: V + 1, value: 'new' });
  await t.crash();
  assert.equal(t.owned().tree, undefined, 'it may be wrong');
  await assertTrees(t);
});

test('a tree that was kept and is damaged is built again', async () => {
  const t = await TestReplica.open();
  await fill(t, MORE_THAN_A_PAGE);
  await t.trees(settle);
  await t.replica.stop();
  assert.ok(t.disk.corrupt(metaKey('tree-0')));
  await t.engine.close();
  await t.start();
  assert.equal(t.owned(0).tree, undefined);
  assert.notEqual(t.owned(1).tree, undefined);
  await assertTrees(t);
});

test('a tree is built beside service, from a view that may or may not show what is under way', async () => {
  for (let delay = 0; delay < 12; delay++) {
    const t = await TestReplica.open({ versionCacheEntriesMax: delay % 3 });
    await fill(t, MORE_THAN_A_PAGE);
    await t.trees(settle);
    t.disk.faults.syncDelayMs = 3;
    const writes: Promise<string>[] = [];
    for (let i = 0; i < 60; i++) {
      if (i === delay) t.owned(0).rebuildTree();
      writes.push(
        t.store(`a${(i * 37) % 80}`, { wallMs: V + 1 + i, value: i % 5 === 0 ? undefined : `${i}` }),
      );
      if (i % 7 === delay % 7) await settle();
      if (i % 4 === 0) t.clock.advance(1);
    }
    t.disk.faults.syncDelayMs = 0;
    await t.until(Promise.all(writes), settle);
    await assertTrees(t);
  }
});

test('a leaf is in flight from the turn of the write until it is durable', async () => {
  const t = await TestReplica.open();
  await t.ask('a');
  const write = t.store('a', { wallMs: V, value: 'x' });
  const leaf = leafOf(t, 'a');
  assert.deepEqual([t.owned().isInFlight(leaf), t.owned().isInFlight(leaf ^ 1)], [true, false]);
  await write;
  assert.equal(t.owned().isInFlight(leaf), false);
});

test('the keys of some leaves are listed in order, page by page', async () => {
  const t = await TestReplica.open();
  await fill(t, 1200);
  await t.store('a0', { wallMs: V + 1 });
  const leaves = new Set([leafOf(t, 'a0'), leafOf(t, 'a2'), leafOf(t, 'a4')]);
  const found: string[] = [];
  let after: KeyAt | undefined;
  for (let isDone = false; !isDone; ) {
    const page = await t.owned().listLeaves({ leaves, after, entriesMax: 7 });
    assert.ok(page.entries.length <= 7);
    found.push(...page.entries.map(({ key, isTombstone }) => `${Buffer.from(key)}${isTombstone ? '-' : ''}`));
    after = page.entries.at(-1);
    isDone = page.done;
  }
  const expected = [...t.stored()]
    .filter(([key]) => key < 'n' && leaves.has(leafOf(t, key)))
    .map(([key, { isTombstone }]) => `${key}${isTombstone ? '-' : ''}`);
  assert.deepEqual(found, expected.toSorted());
  assert.ok(found.includes('a0-'));
  assert.deepEqual(await t.owned().listLeaves({ leaves: new Set(), after: undefined, entriesMax: 1 }), {
    entries: [],
    done: true,
  });
});

test('a damaged record is refused, told once, not in the tree, and healed by what a quorum says', async () => {
  const t = await TestReplica.open();
  await fill(t, 10);
  await t.trees(settle);
  t.damage('a2');
  assert.equal(await t.read('a2'), 'refused RECORD_CORRUPT');
  assert.equal(await t.ask('a2'), 'refused RECORD_CORRUPT');
  assert.deepEqual(t.corrupt, ['a2']);
  await assertTrees(t);
  const report = await t.owned().report({ namespaceId: 1, key: bytesOf('a2') });
  assert.deepEqual([report.isCorrupt, report.version], [true, undefined]);
  assert.equal(await t.store('a2', { wallMs: V, value: '2' }, 'hint'), 'refused RECORD_CORRUPT');
  assert.equal(
    await t.store('a2', { wallMs: V - 1, value: 'older' }, 'write-back'),
    'refused RECORD_CORRUPT',
  );
  assert.equal(await t.store('a2', { wallMs: V, value: '2' }, 'write-back'), `held ${V}`);
  assert.equal(await t.read('a2'), `seen ${V}`);
  await assertTrees(t);
});

test('damage that was not known when a tree was kept, or built, leaves no trace in it', async () => {
  for (const road of ['restart', 'crash'] as const) {
    const t = await TestReplica.open();
    await fill(t, 10);
    await t.trees(settle);
    if (road === 'restart') await t.restart();
    t.damage('a2');
    if (road === 'crash') await t.crash();
    else assert.equal(await t.ask('a2'), 'refused RECORD_CORRUPT');
    await assertTrees(t);
    assert.deepEqual(t.corrupt, ['a2']);
    assert.equal(await t.store('a2', { wallMs: V + 1, value: 'x' }), `held ${V + 1}`);
    await assertTrees(t);
    t.damage('a4');
    t.damage('a6');
    const listed = await t
      .owned()
      .listLeaves({ leaves: new Set(Array(16).keys()), after: undefined, entriesMax: 99 });
    assert.deepEqual(
      listed.entries.map(({ key }) => Buffer.from(key).toString()),
      ['a0', 'a2', 'a8'],
    );
    await settle();
    assert.deepEqual(t.corrupt, ['a2', 'a4', 'a6']);
    await assertTrees(t);
  }
});

test('a replica with too many damaged records takes itself out and says so', async () => {
  const t = await TestReplica.open();
  await fill(t, 10);
  for (const key of ['a0', 'a2', 'a4']) {
    t.damage(key);
    await t.read(key);
  }
  assert.equal(t.replica.outReason, undefined);
  t.damage('a6');
  await t.read('a6');
  assert.match(t.replica.outReason ?? '', /4 records .* damaged, and at most 3/);
  assert.equal(await t.ask('a8'), 'refused REPLICA_OUT');
  assert.deepEqual(t.replica.ownedPartitions(), []);
});

test('a report says what is held', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'x', expiresAtMs: V + 9 });
  await t.trees(settle);
  const { bytes, ...report } = await t.owned().report({ namespaceId: 1, key: bytesOf('a') });
  assert.ok(bytes > HASH_BYTES);
  assert.deepEqual(report, {
    epoch: 5,
    floor: { wallMs: 0, counter: 0, member: 0 },
    watermark: { wallMs: 0, counter: 0, member: 0 },
    treeState: 'ready',
    version: versionOf(V),
    isTombstone: false,
    expiresAtMs: V + 9,
    isCorrupt: false,
  });
});
