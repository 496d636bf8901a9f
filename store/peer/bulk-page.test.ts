import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BulkRecord, openPage, packRecords, recordsOf } from './bulk-page.ts';
import { ProtocolError } from './frame.ts';
import { KEY_BYTES_MAX } from './limits.ts';

const records = fc.array(
  fc.record({
    namespaceId: fc.integer({ min: 0, max: 0xffff_ffff }),
    key: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    record: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 20 },
);
const plain = (all: readonly BulkRecord[]) =>
  all.map(({ namespaceId, key, record }) => [namespaceId, [...key], [...record]]);

test('what was packed is unpacked, also from the middle of a larger buffer', () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 0, max: 0xffff }), (given, partition) => {
      const packed = packRecords(partition, given);
      const around = new Uint8Array(packed.length + 7);
      around.set(packed, 3);
      const page = openPage(around.subarray(3, 3 + packed.length), partition);
      assert.deepEqual(plain(recordsOf(page)), plain(given));
      assert.equal(page.count, given.length);
      assert.equal(
        page.valueBytes,
        given.reduce((sum, { record }) => sum + record.length, 0),
      );
    }),
  );
});

const one = (bytes: number): BulkRecord => ({
  ...{ namespaceId: 1, key: new Uint8Array(bytes), record: Uint8Array.of(1, 2, 3) },
});

test('bytes that were cut off are no page', () => {
  const packed = packRecords(5, [one(1)]);
  for (let length = 1; length < packed.length; length++)
    assert.throws(() => openPage(packed.subarray(0, length), 5), ProtocolError, `${length} bytes`);
});

test('records of another partition, and keys that no client may write, are no page', () => {
  assert.equal(openPage(packRecords(5, [one(1), one(KEY_BYTES_MAX)]), 5).count, 2);
  for (const partition of [4, 6, 5 + 256])
    assert.throws(() => openPage(packRecords(partition, [one(1)]), 5), ProtocolError, `of ${partition}`);
  for (const bytes of [0, KEY_BYTES_MAX + 1])
    assert.throws(() => openPage(packRecords(5, [one(1), one(bytes)]), 5), ProtocolError, `${bytes} bytes`);
  const index = packRecords(5, [one(1)]);
  index[6] = 3;
  assert.throws(() => openPage(index, 5), ProtocolError, 'another family');
});

test('any bytes are a page or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        openPage(bytes, 0);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
  );
});
