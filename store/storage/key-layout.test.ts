import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes } from '../core/bytes/bytes.ts';
import type { KeyRange } from './engine.ts';
import {
  dataKey,
  dataRange,
  expiredRange,
  expiryKey,
  HINT_RANGE,
  hintKey,
  hintRange,
  indexedDataKey,
  type RecordAddress,
  readHintKey,
  TOMBSTONE_RANGE,
  tombstoneKey,
  userKeyOf,
} from './key-layout.ts';

const address: fc.Arbitrary<RecordAddress> = fc.record({
  partition: fc.integer({ min: 0, max: 4095 }),
  namespaceId: fc.integer({ min: 1, max: 0xffff_fff0 }),
  key: fc.uint8Array({ minLength: 1, maxLength: 8 }),
});
const isWithin = (key: Uint8Array, range: { start: Uint8Array; end: Uint8Array }): boolean =>
  compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) < 0;

test('a data key gives the user key back, and lies in its own namespace range only', () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      const key = dataKey(a);
      assert.deepEqual(Uint8Array.from(userKeyOf(key)), a.key);
      const isSame = a.partition === b.partition && a.namespaceId === b.namespaceId;
      assert.equal(isWithin(key, dataRange(b.partition, b.namespaceId, undefined, undefined)), isSame);
    }),
  );
});

test('within a partition and namespace, data keys sort as user keys, and bounds cut exactly', () => {
  fc.assert(
    fc.property(address, fc.uint8Array({ minLength: 1, maxLength: 8 }), (a, other) => {
      const b = { ...a, key: other };
      assert.equal(Math.sign(compareBytes(dataKey(a), dataKey(b))), Math.sign(compareBytes(a.key, b.key)));
      assert.equal(
        isWithin(dataKey(a), dataRange(a.partition, a.namespaceId, other, undefined)),
        compareBytes(a.key, other) >= 0,
      );
      assert.equal(
        isWithin(dataKey(a), dataRange(a.partition, a.namespaceId, undefined, other)),
        compareBytes(a.key, other) < 0,
      );
    }),
  );
});

test('index keys name the record they belong to and lie in their ranges', () => {
  fc.assert(
    fc.property(
      address,
      fc.integer({ min: 0, max: 2 ** 47 }),
      fc.integer({ min: 0, max: 2 ** 47 }),
      (a, atMs, nowMs) => {
        const expiry = expiryKey(atMs, a);
        assert.deepEqual(Buffer.from(indexedDataKey(expiry)), Buffer.from(dataKey(a)));
        assert.equal(isWithin(expiry, expiredRange(nowMs)), atMs <= nowMs);
        const tombstone = tombstoneKey({ wallMs: atMs, counter: 1, member: 2 }, a);
        assert.deepEqual(Buffer.from(indexedDataKey(tombstone)), Buffer.from(dataKey(a)));
        assert.ok(isWithin(tombstone, TOMBSTONE_RANGE));
      },
    ),
  );
});

test('hintKey: says owner and record, and lies in the range of its owner alone', () => {
  const owner = fc.oneof(fc.integer({ min: 1, max: 0xffff_ffff }), fc.constantFrom(255, 256, 0xffff_ffff));
  const isIn = (key: Uint8Array, { start, end }: KeyRange): boolean =>
    compareBytes(start, key) <= 0 && compareBytes(key, end) < 0;
  fc.assert(
    fc.property(owner, owner, address, (one, other, at) => {
      const key = hintKey(one, at);
      const { key: userKey, ...rest } = readHintKey(key);
      assert.deepEqual({ ...rest, key: Uint8Array.from(userKey) }, { owner: one, ...at });
      assert.equal(isIn(key, hintRange(other)), one === other);
      assert.ok(isIn(key, HINT_RANGE));
    }),
  );
});
