import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimNode } from '../sim/sim-node.ts';
import type { KvError } from './errors.ts';
import type { BatchOperation, BatchOutcome } from './kv-store.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const put = (key: string, value: Uint8Array = bytes('v')): BatchOperation => ({
  type: 'put',
  key: bytes(key),
  value,
});
const told = (outcome: BatchOutcome): string =>
  outcome.type === 'error' ? (outcome.error as KvError).code : outcome.type;

test('a batch waits for a new bound of versions and then takes effect', async () => {
  const sim = await SimNode.start();
  sim.clock.advance(60_000);
  const outcomes = await sim.store.batch('default', [put('a'), put('b'), put('a')]);
  assert.deepEqual(outcomes.map(told), ['put', 'put', 'put']);
  assert.ok(await sim.store.get('default', bytes('b')));
});

test('a batch that waits for a bound which cannot be made durable fails operation by operation', async () => {
  const sim = await SimNode.start();
  sim.clock.advance(60_000);
  sim.disk.faults.failNextSync = true;
  const outcomes = await sim.store.batch('default', [
    put('a'),
    { type: 'delete', key: bytes('b') },
    put('a'),
  ]);
  assert.deepEqual(outcomes.map(told), ['STORAGE_FAILED', 'STORAGE_FAILED', 'STORAGE_FAILED']);
});

test('a batch hit by a storage failure has an outcome for each operation, reads and later ones too', async () => {
  const sim = await SimNode.start();
  await sim.store.put('default', bytes('read'), { value: bytes('v') });
  sim.disk.faults.failNextSync = true;
  const operations: BatchOperation[] = [put('a'), put('b'), put('a'), { type: 'get', key: bytes('read') }];
  const outcomes = await sim.store.batch('default', operations);
  assert.deepEqual(outcomes.map(told), Array(4).fill('STORAGE_FAILED'));
  assert.equal(sim.failures.length, 1);
});

test('an operation that the disk has no room for is refused alone', async () => {
  const sim = await SimNode.start({ capacityBytes: 300_000, settings: { 'storage.reserveBytes': 100_000 } });
  const outcomes = await sim.store.batch('default', [
    put('small'),
    put('large', Buffer.alloc(200_000)),
    { type: 'delete', key: bytes('gone') },
  ]);
  assert.deepEqual(outcomes.map(told), ['put', 'STORAGE_FULL', 'delete']);
  assert.equal(await sim.store.get('default', bytes('large')), undefined);
});
