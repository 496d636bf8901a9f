import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyStatesOf, problemOf } from './key-states.ts';
import { type LoadLine, parseLoadLines } from './load-lines.ts';

function put(n: number, outcome: LoadLine['outcome']): LoadLine {
  return { t: 0, op: 'put', key: 'k', n, ms: 1, outcome, codes: [] };
}

const value = (n: number): string => `k#${n} vvvv`;

test('key states: an unknown or refused write behind an acknowledged one is told of, and not acknowledged', () => {
  const states = keyStatesOf([
    put(1, 'acknowledged'),
    put(2, 'refused'),
    put(3, 'acknowledged'),
    put(4, 'unknown'),
  ]);
  assert.deepEqual(states.get('k'), { acknowledged: 3, told: 4 });
});

test('key states: reads say nothing of what was written', () => {
  assert.equal(keyStatesOf([{ ...put(9, 'answered'), op: 'get' }]).size, 0);
});

test('problemOf: at least the last acknowledged write, at most the one that may have been under way', () => {
  const state = { acknowledged: 3, told: 4 };
  for (const n of [3, 4, 5]) assert.equal(problemOf('k', value(n), state), undefined, `write ${n}`);
  for (const n of [2, 6])
    assert.match(problemOf('k', value(n), state) ?? '', /write 3 of k was acknowledged/);
});

test('problemOf: nothing is a loss where something was acknowledged, and a strange value always', () => {
  assert.match(problemOf('k', undefined, { acknowledged: 1, told: 1 }) ?? '', /nothing is there/);
  assert.equal(problemOf('k', undefined, { acknowledged: 0, told: 1 }), undefined);
  for (const strange of ['', 'k', 'other#3 v', 'kk#3 v', 'k#3 noise', 'k#x v'])
    assert.match(problemOf('k', strange, { acknowledged: 3, told: 3 }) ?? '', /is there/, strange);
});

test('parseLoadLines: what load.js says in the lines of k6; a cut last line is left out', () => {
  const line = put(1, 'acknowledged');
  const told = JSON.stringify({ level: 'info', msg: JSON.stringify(line), source: 'console' });
  assert.deepEqual(parseLoadLines(`${told}\n${told}\n${told.slice(0, 20)}`), [line, line]);
});
