import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyLedger, type OpenWrite } from './key-ledger.ts';

const KEY = 3;

/** A ledger in which `count` writes of the key were acknowledged; the sixteenth is a delete. */
function written(count: number): {
  readonly ledger: KeyLedger;
  readonly values: readonly (string | undefined)[];
} {
  const ledger = new KeyLedger({ keys: 5, valueBytes: 20 });
  const values = Array.from({ length: count }, () => {
    const write = ledger.beginWrite(KEY) as OpenWrite;
    ledger.endWrite(write, 'acknowledged');
    return ledger.valueOf(write);
  });
  return { ledger, values };
}

test('KeyLedger: what was acknowledged before a read, or anything later that was sent, may be read; nothing else', () => {
  const { ledger, values } = written(3);
  assert.deepEqual(values[2], '3#3 vvvvvvvvvvvvvvvv');
  assert.equal(ledger.problemOf(KEY, values[2], 3), undefined);
  assert.equal(ledger.problemOf(KEY, values[2], 2), undefined);
  assert.match(ledger.problemOf(KEY, values[1], 3) ?? '', /write 3 was acknowledged/);
  assert.match(ledger.problemOf(KEY, undefined, 3) ?? '', /is not there/);
  assert.match(ledger.problemOf(KEY, '3#4 v', 3) ?? '', /3 the last that was sent/);
  assert.match(ledger.problemOf(KEY, '2#3 v', 3) ?? '', /key-3 is "2#3 v"/);
  assert.match(ledger.problemOf(KEY, 'noise', 3) ?? '', /noise/);
  const open = ledger.beginWrite(KEY) as OpenWrite;
  assert.equal(ledger.problemOf(KEY, ledger.valueOf(open), 3), undefined);
});

test('KeyLedger: nothing may be read from a delete that was sent until a later write is acknowledged', () => {
  const { ledger, values } = written(17);
  assert.equal(values[15], undefined);
  assert.equal(ledger.problemOf(KEY, undefined, 16), undefined);
  assert.equal(ledger.problemOf(KEY, undefined, 2), undefined);
  assert.match(ledger.problemOf(KEY, undefined, 17) ?? '', /is not there/);
  assert.match(ledger.problemOf(KEY, '3#16 v', 15) ?? '', /write 15/);
  assert.equal(ledger.problemOf(0, undefined, 0), undefined);
});

test('KeyLedger: one write of a key at a time, and none after one whose outcome is not known', () => {
  const { ledger } = written(0);
  const first = ledger.beginWrite(KEY) as OpenWrite;
  assert.equal(ledger.beginWrite(KEY), undefined);
  ledger.endWrite(first, 'refused');
  const second = ledger.beginWrite(KEY) as OpenWrite;
  assert.equal(second.sequence, 2);
  ledger.endWrite(second, 'unknown');
  assert.equal(ledger.beginWrite(KEY), undefined);
  assert.deepEqual([ledger.unknown, ledger.acknowledgedOf(KEY)], [1, 0]);
});
