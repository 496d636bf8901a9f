import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openPage, packRecords, recordsOf } from './bulk-page.ts';
import { ProtocolError } from './frame.ts';

const records = fc.array(
  fc.record({
    namespaceId: fc.integer({ min: 0, max: 0xffff_ffff }),
    key: fc.uint8Array({ maxLength: 300 }),
    record: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 20 },
);

test('what was packed is unpacked, also from the middle of a larger buffer', () => {
  fc.assert(
    fc.property(records, (given) => {
      const packed = packRecords(given);
      const around = new Uint8Array(packed.length + 7);
      around.set(packed, 3);
      const page = openPage(around.subarray(3, 3 + packed.length));
      const unpacked = recordsOf(page);
      const plain = unpacked.map(({ namespaceId, key, record }) => [namespaceId, [...key], [...record]]);
      assert.deepEqual(
        plain,
        given.map(({ namespaceId, key, record }) => [namespaceId, [...key], [...record]]),
      );
      assert.equal(page.count, given.length);
      assert.equal(
        page.recordBytes,
        given.reduce((sum, { record }) => sum + record.length, 0),
      );
    }),
  );
});

test('bytes that were cut off are no page', () => {
  const record = Uint8Array.of(1, 2, 3);
  const packed = packRecords([{ namespaceId: 1, key: Uint8Array.of(7), record }]);
  for (let length = 1; length < packed.length; length++)
    assert.throws(() => openPage(packed.subarray(0, length)), ProtocolError, `${length} bytes`);
});

test('any bytes are a page or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        openPage(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
  );
});
