import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { START_MS, TestReplica, versionOf } from './test-replica.ts';

const OLD = START_MS - 20_000;

const indexed = (t: TestReplica): number => [...t.disk.contents(Uint8Array.of(3), Uint8Array.of(5))].length;

// D11 (scylladb#3560, #8970): a tombstone was purged before it had reached every replica.
test('D11 a tombstone stays until the watermark has reached it', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: OLD });
  await t.store('b', { wallMs: OLD + 1 });
  await t.store('z', { wallMs: OLD });
  await t.owned().raiseFloor(versionOf(OLD + 1));
  assert.equal(await t.owned().collect(10), 0, 'a floor collects nothing');
  await t.owned().raiseWatermark(versionOf(OLD));
  assert.equal(await t.owned().collect(10), 1);
  assert.deepEqual([...t.stored().keys()], ['b', 'z']);
  assert.equal(await t.ask('a'), 'asked nothing');
  assert.equal(
    await t.store('a', { wallMs: OLD - 1, value: 'x' }, 'exchange', versionOf(OLD - 1)),
    'refused BELOW_WATERMARK',
  );
  assert.equal(await t.store('a', { wallMs: OLD - 1, value: 'x' }), 'refused BELOW_FLOOR');
  await t.crash();
  assert.deepEqual([...t.stored().keys()], ['b', 'z']);
  assert.equal(indexed(t), 2);
});

test('what expired goes when its version and its expiry are at or below the watermark, of all partitions', async () => {
  const t = await TestReplica.open();
  for (const key of ['a', 'z']) await t.store(key, { wallMs: OLD, value: 'x', expiresAtMs: OLD + 10 });
  await t.store('b', { wallMs: OLD, value: 'x', expiresAtMs: OLD + 11 });
  await t.store('c', { wallMs: OLD, value: 'x' });
  await t.owned(0).raiseFloor(versionOf(OLD + 10));
  await t.owned(0).raiseWatermark(versionOf(OLD + 9, 99));
  assert.equal(await t.replica.collectExpired(10), 0);
  await t.owned(1).raiseWatermark(versionOf(OLD + 10));
  assert.equal(await t.replica.collectExpired(10), 1, 'of the partition whose watermark has got there');
  await t.owned(0).raiseWatermark(versionOf(OLD + 10));
  await t.store('a1', { wallMs: OLD + 11, value: 'x', expiresAtMs: OLD + 10 });
  assert.equal(await t.replica.collectExpired(1), 1);
  assert.equal(await t.replica.collectExpired(10), 0, 'its expiry is below, its version is not');
  await t.owned(0).raiseWatermark(versionOf(OLD + 11, 0));
  assert.equal(await t.replica.collectExpired(1), 1);
  assert.equal(await t.replica.collectExpired(10), 1);
  assert.deepEqual([...t.stored().keys()], ['c']);
  assert.equal(indexed(t), 0);
});

test('only so many are collected at once, and those that wait do not hide the others', async () => {
  const t = await TestReplica.open();
  for (let i = 0; i < 40; i++) await t.store(`a${i}`, { wallMs: OLD + i });
  for (let i = 0; i < 40; i++) await t.store(`z${i}`, { wallMs: OLD + i, value: 'x', expiresAtMs: OLD + 50 });
  await t.owned().raiseWatermark(versionOf(OLD + 100));
  assert.deepEqual([await t.owned().collect(13), await t.owned().collect(40)], [13, 27]);
  await t.store('b', { wallMs: OLD + 101, value: 'x', expiresAtMs: OLD + 102 });
  await t.owned().raiseWatermark(versionOf(OLD + 103));
  let removed = 0;
  for (let i = 0; i < 3; i++) removed += await t.owned().collect(10);
  assert.equal(removed, 1, 'entries of the other partition lie before it in the index');
});

test('a key that is written while it is collected keeps what was written', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const t = await TestReplica.open({ versionCacheEntriesMax: turns % 2 });
    await t.store('a', { wallMs: OLD });
    await t.owned().raiseWatermark(versionOf(OLD));
    const collected = t.owned().collect(10);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    assert.equal(await t.store('a', { wallMs: START_MS, value: 'x' }), `held ${START_MS}`);
    await collected;
    assert.equal(t.stored().get('a')?.text, 'x');
    await t.trees(settle);
    assert.deepEqual(t.owned().tree?.root(), t.treeOfDisk(0).root());
    assert.equal(await t.owned().collect(10), 0);
    assert.equal(indexed(t), 0);
  }
});

test('garbage is a tombstone, or what has expired', async () => {
  const t = await TestReplica.open();
  assert.equal(await t.owned().hasGarbage(START_MS), false);
  await t.store('a', { wallMs: START_MS, value: 'x', expiresAtMs: START_MS + 5 });
  t.clock.advance(2000);
  assert.equal(await t.owned().hasGarbage(START_MS + 4), false);
  t.clock.advance(2000);
  assert.deepEqual(
    [await t.owned(0).hasGarbage(START_MS + 5), await t.owned(1).hasGarbage(START_MS + 5)],
    [true, false],
  );
  await t.store('z', { wallMs: START_MS });
  assert.equal(await t.owned(1).hasGarbage(0), true);
});

test('the data of a dropped namespace goes, with its index entries, and the trees follow', async () => {
  const t = await TestReplica.open();
  t.namespaces.set(2, 'served');
  const at = { namespaceId: 2 };
  for (let i = 0; i < 600; i++) {
    const record = {
      wallMs: OLD,
      value: i % 3 === 0 ? undefined : 'x',
      expiresAtMs: i % 3 === 1 ? OLD + 1 : undefined,
    };
    await t.serve(t.storeRequest(`${i % 2 === 0 ? 'a' : 'z'}${i}`, record, 'write', undefined, at));
  }
  await t.store('a', { wallMs: OLD });
  await t.trees(settle);
  await assert.rejects(t.replica.dropNamespace(2), /is served/);
  const under = t.serve(t.storeRequest('a9', { wallMs: OLD, value: 'late' }, 'write', undefined, at));
  await settle();
  t.namespaces.set(2, 'dropped');
  const dropping = t.replica.dropNamespace(2);
  await t.owned().raiseWatermark(versionOf(OLD + 1));
  await Promise.all([t.owned().collect(100), under, dropping]);
  assert.deepEqual([...t.stored().keys()], []);
  assert.equal(indexed(t), 0);
  for (const partition of [0, 1])
    assert.deepEqual(t.owned(partition).tree?.root(), t.treeOfDisk(partition).root());
});

test('a stop ends the deletion of a namespace between two pages, with trees that fit', async () => {
  const t = await TestReplica.open();
  t.namespaces.set(2, 'served');
  for (let i = 0; i < 600; i++)
    await t.serve(
      t.storeRequest(`a${i}`, { wallMs: OLD, value: 'x' }, 'write', undefined, { namespaceId: 2 }),
    );
  await t.trees(settle);
  t.namespaces.set(2, 'dropped');
  const dropping = assert.rejects(t.replica.dropNamespace(2), /at the next start/);
  for (let i = 0; i < 8; i++) await Promise.resolve();
  await t.restart();
  await dropping;
  assert.deepEqual(t.owned().tree?.root(), t.treeOfDisk(0).root());
  await t.replica.dropNamespace(2);
  assert.equal(t.stored().size, 0);
});
