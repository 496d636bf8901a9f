import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseGlob } from './glob.ts';

const matches = (pattern: string, text: string): boolean =>
  parseGlob(Buffer.from(pattern)).matches(Buffer.from(text));

test('patterns match what they match in Redis', () => {
  const table: [string, string, boolean][] = [
    ['*', '', true],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h*llo', 'heeeello', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[a-b]llo', 'hbllo', true],
    ['h[b-a]llo', 'hallo', true],
    ['h\\*llo', 'h*llo', true],
    ['h\\*llo', 'hello', false],
    ['[\\]]', ']', true],
    ['a[b', 'ab', true],
    ['user:*:name', 'user:7:name', true],
    ['user:*:name', 'user:7:names', false],
    ['', '', true],
    ['', 'a', false],
  ];
  for (const [pattern, text, expected] of table)
    assert.equal(matches(pattern, text), expected, `${pattern} on ${text}`);
});

/** By the definition, trying everything. */
function dumb(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const [first, ...rest] = pattern;
  const after = rest.join('');
  if (first === '*') return dumb(after, text) || (text !== '' && dumb(pattern, text.slice(1)));
  return text !== '' && (first === '?' || first === text[0]) && dumb(after, text.slice(1));
}

test('stars and question marks match as the plain recursion says', () => {
  const letters = (alphabet: string) =>
    fc.array(fc.constantFrom(...alphabet), { maxLength: 9 }).map((each) => each.join(''));
  fc.assert(
    fc.property(letters('ab*?'), letters('ab'), (pattern, text) => {
      assert.equal(matches(pattern, text), dumb(pattern, text));
    }),
    { numRuns: 1000 },
  );
});

test('a pattern of many stars takes no more time than its length times that of the text', () => {
  assert.equal(matches(`${'a*'.repeat(200)}b`, 'a'.repeat(5000)), false);
});

test('the prefix is what every match begins with', () => {
  const prefix = (pattern: string): string => Buffer.from(parseGlob(Buffer.from(pattern)).prefix).toString();
  assert.equal(prefix('user:*'), 'user:');
  assert.equal(prefix('a\\*b?c'), 'a*b');
  assert.equal(prefix('[a]b'), '');
  assert.equal(prefix('exact'), 'exact');
});
