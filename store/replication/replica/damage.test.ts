import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { START_MS, TestReplica } from './test-replica.ts';

const V = START_MS - 20_000;

test('damage is counted from when it is found until it is written over', async () => {
  const t = await TestReplica.open({ versionCacheEntriesMax: 0 });
  await t.store('a', { wallMs: V, value: 'x' });
  t.damage('a');
  assert.deepEqual(t.owned().damage, { now: 0, found: 0 });
  await t.read('a');
  assert.deepEqual(t.owned().damage, { now: 1, found: 1 });
  await t.store('a', { wallMs: V + 1, value: 'y' });
  assert.deepEqual(t.owned().damage, { now: 0, found: 1 });
});

test('a restart knows of damage as soon as it has a tree: one that leaves a record out is not kept over a stop', async () => {
  const t = await TestReplica.open({ versionCacheEntriesMax: 0 });
  await t.store('a', { wallMs: V, value: 'x' });
  await t.store('b', { wallMs: V, value: 'y' });
  await t.until(t.replica.treesBuilt(), settle);
  t.damage('a');
  await t.read('a');
  await t.until(t.replica.treesBuilt(), settle);
  assert.equal(t.owned().tree?.entryCount, 1);
  await t.restart();
  await t.until(t.replica.treesBuilt(), settle);
  assert.equal(t.owned().tree?.entryCount, 1);
  assert.deepEqual(t.owned().damage, { now: 1, found: 1 });
});
