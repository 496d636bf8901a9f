import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatKey, parseKey, previewValue } from './key-format.ts';

test('formatKey and parseKey are inverse for hex and base64', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1 }),
      fc.constantFrom('hex' as const, 'base64' as const),
      (key, format) => assert.deepEqual(Uint8Array.from(parseKey(formatKey(key, format), format)), key),
    ),
  );
});

test('formatKey never sends control characters to a terminal', () => {
  assert.equal(formatKey(Buffer.from('a\u001b[2Jé'), 'text'), 'a\\x1b[2Jé');
  assert.equal(formatKey(Uint8Array.of(0xff, 0x41), 'text'), '\\xffA');
});

test('parseKey refuses what is not in the format', () => {
  assert.throws(() => parseKey('abc', 'hex'), /'abc' is not hex/);
  assert.throws(() => parseKey('', 'text'), /1\.\.1024 bytes/);
});

test('previewValue cuts text and counts bytes', () => {
  assert.equal(previewValue(Buffer.from('hello\nworld'), 8), 'hello\\x…');
  assert.equal(previewValue(Uint8Array.of(0xff, 0), 8), '<2 bytes>');
});
