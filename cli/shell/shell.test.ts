import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitWords } from './split-words.ts';

test('splitWords keeps what is quoted or escaped together', () => {
  assert.deepEqual(splitWords('set  key "two words" 10'), ['set', 'key', 'two words', '10']);
  assert.deepEqual(splitWords(`set 'a "b"' a\\ b "\\"q\\"" ''`), ['set', 'a "b"', 'a b', '"q"', '']);
  assert.deepEqual(splitWords('   '), []);
  assert.throws(() => splitWords('get "open'), /quote " is not closed/);
});
