import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastMade } from './last-made.ts';

test('it is made again once what it is made of differs, for each name by itself, and after it was forgotten', () => {
  const made: string[] = [];
  const last = new LastMade<string>();
  const get = (name: string, of: string): string =>
    last.get(name, of, () => {
      made.push(`${name}:${of}`);
      return of;
    });
  for (const [name, of] of ['a1', 'a1', 'b1', 'a1', 'a2', 'a1'].map(
    ([name = '', of = '']) => [name, of] as const,
  ))
    assert.equal(get(name, of), of);
  assert.deepEqual(made, ['a:1', 'b:1', 'a:2', 'a:1']);
  last.forget('a');
  get('a', '1');
  get('b', '1');
  assert.deepEqual(made.slice(4), ['a:1']);
});
