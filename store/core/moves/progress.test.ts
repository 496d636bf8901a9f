import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Move, type Partition, toEpoch, toMoveSession } from '../topology/types.ts';
import { type Holdings, progressOf } from './progress.ts';
import { addBytes, EMPTY_WINDOW, rateOf } from './rate.ts';

const still: Partition = { replicas: [1, 2, 3], epoch: toEpoch(3) };
const moving = (entered: readonly number[], stage: 'joint' | 'switch' = 'joint'): Partition => {
  const begun = { session: toMoveSession(7), to: [1, 2, 4] };
  const move: Move = stage === 'joint' ? { ...begun, stage, entered } : { ...begun, stage, confirmed: [] };
  return { replicas: [1, 2, 3], epoch: toEpoch(7), move };
};
const owner: Holdings = { received: [], owned: [{ partition: 0, bytes: 1000 }] };
const receiver = (bytes: number, session = 7, bytesPerSecond = 50): Holdings => ({
  received: [{ partition: 0, session, bytes, bytesPerSecond }],
  owned: [{ partition: 0, bytes }],
});

function of(partition: Partition, holdings: Holdings, since = 0, done = false) {
  const options = { numbers: [0], isDone: () => done, since: toEpoch(since) };
  return progressOf(
    options,
    [partition],
    new Map([
      [1, owner],
      [4, holdings],
    ]),
  );
}

test('what is left is the size of the partition less what has come, in this session', () => {
  assert.deepEqual(of(moving([]), receiver(400)), {
    ...{ bytesMoved: 400, bytesLeft: 600, bytesPerSecond: 50, etaSeconds: 12 },
  });
  assert.equal(
    of(moving([]), receiver(400, 5)).bytesLeft,
    1000,
    'of an earlier session nothing is left here',
  );
});

test('nothing of the bulk is left once the member has entered', () => {
  assert.equal(of(moving([4]), receiver(990)).bytesLeft, 0);
  assert.equal(of(moving([], 'switch'), receiver(990)).etaSeconds, 0);
});

test('a partition that waits for its turn is one copy, and there is no telling when without a rate', () => {
  const progress = of(still, { received: [], owned: [] });
  assert.deepEqual(progress, { bytesMoved: 0, bytesLeft: 1000, bytesPerSecond: 0, etaSeconds: undefined });
});

test('what is done counts as moved, and what came before the operation began does not', () => {
  assert.deepEqual(of(still, receiver(1000, 7, 0), 6, true), {
    ...{ bytesMoved: 1000, bytesLeft: 0, bytesPerSecond: 0, etaSeconds: 0 },
  });
  assert.equal(of(still, receiver(1000, 5, 0), 6, true).bytesMoved, 0);
});

test('a rate is of the last ten seconds, or since the first byte', () => {
  let window = EMPTY_WINDOW;
  for (let second = 0; second < 30; second++) window = addBytes(window, second * 1000 + 500, 100);
  assert.ok(window.length <= 10);
  assert.ok(Math.abs(rateOf(window, 29_999) - 100) < 0.1);
  assert.equal(rateOf(window, 45_000), 0);
  assert.equal(rateOf(addBytes(EMPTY_WINDOW, 2000, 100), 4000), 50);
  assert.equal(rateOf(EMPTY_WINDOW, 4000), 0);
});
