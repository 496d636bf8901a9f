import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultWindows, type RefusedRequest } from './fault-windows.ts';

const REQUEST: RefusedRequest = {
  ...{ status: 503, code: 'QUORUM_NOT_MET', detail: '', isUnwritten: false },
  ...{ asked: 1, sets: [[1, 2, 3]], beganAt: 10_000, endedAt: 10_500 },
};

/** Windows with one fault from 5,000 to `untilMs`. */
function windowsWith(fault: Parameters<FaultWindows['open']>[0], untilMs = 20_000): FaultWindows {
  let nowMs = 5000;
  const windows = new FaultWindows(() => nowMs);
  windows.open(fault);
  nowMs = untilMs;
  windows.closeAll();
  return windows;
}

test('a refusal is explained by a quorum that was gone, and by nothing less', () => {
  assert.equal(windowsWith({ faulty: [2, 3] }).judge(REQUEST), 'no quorum');
  assert.equal(windowsWith({ faulty: [2] }).judge(REQUEST), 'unexplained');
  assert.equal(windowsWith({ faulty: [2, 4] }).judge(REQUEST), 'unexplained');
  assert.equal(windowsWith({ faulty: [1] }).judge(REQUEST), 'asked the faulty node');
  assert.equal(windowsWith({ faulty: [2, 3] }, 9999).judge(REQUEST), 'unexplained');
  assert.equal(new FaultWindows(() => 0).judge(REQUEST), 'unexplained');
});

test('a set on two sides has a quorum on one of them', () => {
  const sides = [
    [2, 3, 4],
    [1, 5],
  ];
  const windows = windowsWith({ faulty: [], sides });
  assert.equal(windows.judge(REQUEST), 'no quorum');
  assert.equal(windows.judge({ ...REQUEST, asked: 2 }), 'unexplained');
  assert.equal(windows.judge({ ...REQUEST, asked: 2, sets: [[1, 4, 5]] }), 'no quorum');
});

test('a failure has its time to be known, by those whom it concerns', () => {
  const early = { ...REQUEST, beganAt: 7900, endedAt: 12_000 };
  assert.equal(windowsWith({ faulty: [2] }).judge(early), 'before it was known');
  assert.equal(windowsWith({ faulty: [4] }).judge(early), 'unexplained');
  assert.equal(windowsWith({ faulty: [2] }).judge({ ...early, beganAt: 8001 }), 'unexplained');
});

test('a code that is not documented is never explained, nor a connection that a sound node breaks', () => {
  const windows = windowsWith({ faulty: [1, 2, 3] });
  assert.equal(windows.judge({ ...REQUEST, status: 500, code: 'INTERNAL' }), 'unexplained');
  assert.equal(windows.judge({ ...REQUEST, status: 400, code: 'QUORUM_NOT_MET' }), 'unexplained');
  const broken = { ...REQUEST, status: 0, code: 'ECONNRESET' };
  assert.equal(windows.judge(broken), 'asked the faulty node');
  assert.equal(windows.judge({ ...broken, asked: 4 }), 'unexplained');
});
