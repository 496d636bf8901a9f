import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Version } from '../../core/version/version.ts';
import { KeyHistory } from './key-history.ts';
import { HistoryClock } from './register-operation.ts';
import { Violation } from './violation.ts';

const breaks = (check: string) => (error: unknown) => error instanceof Violation && error.check === check;
const version = (wallMs: number): Version => ({ wallMs, counter: 0, member: 1 });
const found = (value: string, wallMs: number, expiresAtMs?: number) => ({
  value,
  version: version(wallMs),
  expiresAtMs,
});

function createHistory(): KeyHistory {
  let nowMs = 0;
  return new KeyHistory('k', new HistoryClock(() => nowMs++));
}

function put(history: KeyHistory, value: string, wallMs: number): void {
  history.beginPut('n1', value, undefined).acknowledged(version(wallMs));
}

test('a read of an older version than one that was acknowledged, read or deleted before it began', () => {
  const history = createHistory();
  put(history, 'a', 1);
  put(history, 'b', 2);
  const early = history.beginRead('n1');
  assert.throws(
    () => history.beginRead('n1').found(found('a', 1), 0),
    breaks('no acknowledged write is lost'),
  );
  history.beginRead('n1').found(found('c', 3), 0);
  assert.throws(() => history.beginRead('n1').found(found('b', 2), 0), breaks('reads never go backwards'));
  history.beginDelete('n1').acknowledged(version(4));
  assert.throws(() => history.beginRead('n1').found(found('c', 3), 0), breaks('no resurrection'));
  early.found(found('b', 2), 0);
});

test('nothing is found though nothing was deleted', () => {
  const history = createHistory();
  history.beginRead('n1').absent(0);
  const first = history.beginDelete('n1');
  put(history, 'a', 2);
  history.beginRead('n1').absent(0);
  first.acknowledged(version(1));
  assert.throws(() => history.beginRead('n1').absent(0), breaks('no acknowledged write is lost'));
  history.beginDelete('n2').refused();
  assert.throws(() => history.beginRead('n1').absent(0), breaks('no acknowledged write is lost'));
  history.beginDelete('n3');
  history.beginRead('n1').absent(0);
});

test('what expires may be gone once some clock says so, and must not be found by the own clock', () => {
  const history = createHistory();
  history.beginPut('n1', 'a', 100).acknowledged(version(1));
  assert.throws(() => history.beginRead('n1').absent(99), breaks('no acknowledged write is lost'));
  history.beginRead('n1').absent(100);
  history.beginRead('n1').found(found('a', 1, 105), 104);
  assert.throws(
    () => history.beginRead('n1').found(found('a', 1, 105), 105),
    breaks('expired records are hidden'),
  );
  history.requireLinearizable();
});

test('a version that is given twice, or below what was seen', () => {
  const history = createHistory();
  put(history, 'a', 5);
  assert.throws(() => put(history, 'b', 4), breaks('a write is stamped above what was seen before it'));
  assert.throws(() => put(history, 'c', 5), breaks('no version is given twice'));
  assert.throws(() => history.beginRead('n1').found(found('a', 6), 0), breaks('a write is stamped once'));
});

test('a write of unknown outcome may show up, one that was refused must not', () => {
  const history = createHistory();
  history.beginPut('n1', 'a', undefined);
  history.beginRead('n2').found(found('a', 1), 0);
  history.requireLinearizable();
  history.beginPut('n1', 'b', undefined).refused();
  history.beginRead('n2').found(found('b', 2), 0);
  assert.throws(() => history.requireLinearizable(), breaks('every key is linearizable'));
});
