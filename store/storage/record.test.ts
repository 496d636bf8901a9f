import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asBuffer } from './checksum.ts';
import { KvError } from './errors.ts';
import { decodeRecord, encodeRecord, isLive, type StoredRecord } from './record.ts';

const KEY = Buffer.from('stored key');
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const record: fc.Arbitrary<StoredRecord> = fc.record(
  {
    version: fc.record(
      {
        wallMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
        counter: fc.integer({ min: 0, max: 0xffff }),
        member: fc.integer({ min: 0, max: 0xffff_ffff }),
      },
      { noNullPrototype: true },
    ),
    isTombstone: fc.boolean(),
    expiresAtMs: optional(fc.integer({ min: 0, max: 2 ** 48 - 1 })),
    contentType: optional(fc.stringMatching(/^[ -~]{0,255}$/)),
    value: fc.uint8Array(),
  },
  { noNullPrototype: true },
);

test('a record survives encoding', () => {
  fc.assert(
    fc.property(record, (original) => {
      const decoded = decodeRecord(KEY, encodeRecord(KEY, original), KEY);
      assert.deepEqual({ ...decoded, value: Uint8Array.from(decoded.value) }, original);
    }),
  );
});

test('a record with any flipped bit, cut short, or under another key, is an error that names the key', () => {
  fc.assert(
    fc.property(record, fc.nat(), (original, at) => {
      const stored = asBuffer(encodeRecord(KEY, original));
      const flipped = Buffer.from(stored);
      const bit = at % (stored.length * 8);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      const isCorrupt = (error: unknown): boolean =>
        error instanceof KvError &&
        error.code === 'RECORD_CORRUPT' &&
        error.data.keyBase64 === KEY.toString('base64');
      assert.throws(() => decodeRecord(KEY, flipped, KEY), isCorrupt);
      assert.throws(() => decodeRecord(KEY, stored.subarray(0, at % stored.length), KEY), isCorrupt);
      assert.throws(() => decodeRecord(Buffer.from('another'), stored, KEY), isCorrupt);
    }),
    { numRuns: 500 },
  );
});

test('isLive: a tombstone is not, and a record is until the millisecond of its expiry', () => {
  const live = {
    version: { wallMs: 1, counter: 0, member: 1 },
    isTombstone: false,
    expiresAtMs: 100,
    contentType: undefined,
    value: KEY,
  };
  assert.equal(isLive(live, 99), true);
  assert.equal(isLive(live, 100), false);
  assert.equal(isLive({ ...live, expiresAtMs: undefined }, 1e15), true);
  assert.equal(isLive({ ...live, isTombstone: true }, 0), false);
});
