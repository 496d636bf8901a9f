import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes, equalBytes, prefixEnd, successor } from './bytes.ts';

const bytes = fc.uint8Array({ maxLength: 6 });

test('compareBytes orders as Buffer.compare does', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
      assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0);
    }),
  );
});

test('prefixEnd bounds exactly the strings with the prefix', () => {
  fc.assert(
    fc.property(bytes, bytes, (prefix, key) => {
      const end = prefixEnd(prefix);
      const hasPrefix =
        Buffer.compare(key.subarray(0, prefix.length), prefix) === 0 && key.length >= prefix.length;
      const isWithin = compareBytes(key, prefix) >= 0 && (end === undefined || compareBytes(key, end) < 0);
      assert.equal(isWithin, hasPrefix);
    }),
    { numRuns: 2000 },
  );
  const prefix = Buffer.from('b');
  prefixEnd(prefix);
  assert.equal(prefix.toString(), 'b', 'the prefix is left as it was');
  assert.equal(prefixEnd(Uint8Array.of(0xff, 0xff)), undefined);
  assert.deepEqual(prefixEnd(Uint8Array.of(1, 0xff)), Uint8Array.of(2));
});

test('successor leaves no room between itself and the key', () => {
  fc.assert(
    fc.property(bytes, bytes, (key, other) => {
      assert.ok(compareBytes(key, successor(key)) < 0);
      assert.ok(compareBytes(other, key) <= 0 || compareBytes(other, successor(key)) >= 0);
    }),
  );
});
