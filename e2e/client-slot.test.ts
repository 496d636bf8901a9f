import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as client from '../client/src/slot.ts';
import * as store from '../store/core/ring/slot.ts';

test('slotOf of the client is that of the store, with hash tags', () => {
  // Bytes among which braces are frequent.
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x7b, 0x7d));
  const key = fc.array(byte, { minLength: 1, maxLength: 40 }).map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(key, (bytes) => assert.equal(client.slotOf(bytes), store.slotOf(bytes))),
    { numRuns: 2000 },
  );
  assert.equal(client.SLOT_COUNT, store.SLOT_COUNT);
});

test('slotOf: the examples of the Redis Cluster specification', () => {
  const slot = (text: string): number => client.slotOf(Buffer.from(text));
  assert.equal(slot('123456789'), 0x31c3);
  assert.equal(slot('{user1000}.following'), slot('{user1000}.followers'));
  assert.equal(slot('foo{{bar}}zap'), slot('{bar'));
  assert.notEqual(slot('foo{}{bar}'), slot('bar'));
});
