import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc16, partitionOf, partitionOfSlot, SLOT_COUNT, slotOf } from './slot.ts';

test('crc16 gives the check value of CRC-16/XMODEM (Redis Cluster specification, appendix A)', () => {
  assert.equal(crc16(Buffer.from('123456789')), 0x31c3);
});

test('slotOf hashes what Redis Cluster hashes', () => {
  const slot = (key: string): number => slotOf(Buffer.from(key));
  // The values of CLUSTER KEYSLOT on a Redis server.
  assert.equal(slot('foo'), 12_182);
  assert.equal(slot('somekey'), 11_058);
  assert.equal(slot('foo{hash_tag}'), 2515);
  assert.equal(slot('{user1000}.following'), slot('{user1000}.followers'));
  assert.equal(slot('foo{bar}{zap}'), slot('bar'));
  assert.equal(slot('foo{{bar}}zap'), slot('{bar'));
  assert.notEqual(slot('foo{}{bar}'), slot('bar'), 'an empty tag is no tag');
});

test('partitions split the slots without gap or overlap, for every power of two (scenario 18)', () => {
  for (let count = 1; count <= 4096; count *= 2) {
    let previous = 0;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const partition = partitionOfSlot(slot, count);
      assert.ok(partition === previous || partition === previous + 1);
      previous = partition;
    }
    assert.equal(previous, count - 1);
  }
});

test('partitionOf stays within the count', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (key) => {
      const partition = partitionOf(key, 256);
      assert.ok(partition >= 0 && partition < 256);
    }),
  );
});
