import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import { checkPayload } from './check-payload.ts';
import { ProtocolError } from './frame.ts';

const packr = new Packr({ useRecords: false, int64AsType: 'number', variableMapSize: true });
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 8 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.string({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 40 }),
    fc.dictionary(fc.string({ maxLength: 40 }), tie('value'), { maxKeys: 40 }),
  ),
})).value;

test('everything that the library packs of plain values is let through', () => {
  fc.assert(
    fc.property(values, (value) => checkPayload(packr.pack(value))),
    { numRuns: 1000 },
  );
});

test('every length and number form is measured as the library measures it', () => {
  for (const length of [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000]) {
    checkPayload(packr.pack('x'.repeat(length)));
    checkPayload(packr.pack(new Uint8Array(length)));
    checkPayload(packr.pack(new Array(length).fill(1)));
    checkPayload(packr.pack(Object.fromEntries(Array.from({ length }, (_, key) => [`k${key}`, key]))));
  }
  for (let bits = 0; bits <= 53; bits++)
    for (const sign of [1, -1]) checkPayload(packr.pack(sign * 2 ** bits));
  for (const token of [0xcf, 0xd3]) checkPayload(new Uint8Array([token, 0, 0, 0, 0, 0, 0, 0, 1]));
});

test('a map with a key that is no text is refused', () => {
  for (const key of [[0x90], [0x80], [0x05], [0xc0], [0xc4, 0]])
    assert.throws(() => checkPayload(new Uint8Array([0x81, ...key, 0])), /a key that is no text/);
});

test('what it lets through the library reads to the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 30 }), (bytes) => {
      try {
        checkPayload(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
        return;
      }
      packr.unpack(bytes);
    }),
    { numRuns: 20_000 },
  );
});
