import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Move, type Partition, toEpoch, toMoveSession } from '../topology/types.ts';
import { gatherMs } from './gather.ts';

const session = toMoveSession(7);
const JOINT: Move = { session, to: [1, 2, 4], stage: 'joint', entered: [] };
const SWITCH: Move = { session, to: [1, 2, 4], stage: 'switch', confirmed: [] };
const partitions = (count: number, move?: Move): Partition[] =>
  Array.from({ length: count }, () => ({
    replicas: [1, 2, 3],
    epoch: toEpoch(9),
    ...(move === undefined ? {} : { move }),
  }));

test('what is done is said the sooner, the fewer partitions are still to be filled', () => {
  const [few, many] = [gatherMs(partitions(7, JOINT)), gatherMs(partitions(8, JOINT))];
  assert.ok(few < many);
  const none = gatherMs([]);
  assert.ok(none < few, 'where nothing is to be filled all others wait for what is said');
  assert.equal(gatherMs([...partitions(256), ...partitions(64, SWITCH)]), none);
  assert.equal(gatherMs([...partitions(64, SWITCH), ...partitions(1, JOINT)]), few);
  assert.equal(gatherMs([...partitions(256), ...partitions(64, JOINT)]), many);
  const isFilled = (partition: number): boolean => partition < 60;
  assert.equal(
    gatherMs(partitions(64, JOINT), isFilled),
    few,
    'what is filled and not said yet is no reason to wait',
  );
  assert.equal(gatherMs(partitions(68, JOINT), isFilled), many);
});
