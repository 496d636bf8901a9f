import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Move, type Partition, toEpoch, toMoveSession } from '../../core/topology/types.ts';
import { requirePromises } from './move-promises.ts';
import type { PartitionFact } from './partition-facts.ts';

const SESSION = toMoveSession(6);
const TO = [3, 4, 5];
const joint = (...entered: number[]): Move => ({ session: SESSION, to: TO, stage: 'joint', entered });
const atSwitch = (...confirmed: number[]): Move => ({ session: SESSION, to: TO, stage: 'switch', confirmed });
const at = (wallMs: number) => ({ wallMs, counter: 0, member: 1 });

function moving(epoch: number, move: Move): Partition {
  return { replicas: [1, 2, 3], epoch: toEpoch(epoch), move };
}

/** The promises of members 1, 2, ..., as [epoch, floor, watermark]. */
function factsOf(...facts: (readonly [number, number, number])[]) {
  return (member: number): PartitionFact | undefined => {
    const [epoch, floor, watermark] = facts[member - 1] ?? [];
    return epoch === undefined
      ? undefined
      : { epoch, floor: at(floor ?? 0), watermark: at(watermark ?? 0), session: 0 };
  };
}

test('who enters has at least what any two of three promised', () => {
  const set = [
    [6, 9, 9],
    [6, 5, 3],
    [6, 5, 1],
  ] as const;
  const enter = (floor: number, watermark: number): void =>
    requirePromises(0, moving(6, joint()), moving(6, joint(4)), factsOf(...set, [6, floor, watermark]));
  enter(5, 3);
  assert.throws(() => enter(4, 3), /a floor of .* was promised/);
  assert.throws(() => enter(5, 2), /a watermark of .* was promised/);
});

test('who confirms has the epoch on its disk, and only who confirms now is looked at', () => {
  const facts = factsOf([8, 0, 0], [7, 0, 0]);
  requirePromises(0, moving(8, atSwitch()), moving(8, atSwitch(1)), facts);
  assert.throws(() => requirePromises(0, moving(8, atSwitch()), moving(8, atSwitch(2)), facts), {
    check: 'an epoch is durable before it is confirmed',
  });
  requirePromises(0, moving(8, atSwitch(2)), moving(8, atSwitch(1, 2)), facts);
});

test('nothing is held against who has lost its disk', () => {
  requirePromises(0, moving(8, atSwitch()), moving(8, atSwitch(3)), factsOf([8, 0, 0]));
});

test('F is left for T alone, and once too few of F are behind to be read', () => {
  const now = (replicas: number[]): Partition => ({ replicas, epoch: toEpoch(9) });
  const before = moving(8, atSwitch(1, 2));
  requirePromises(0, before, now(TO), factsOf([8, 0, 0], [8, 0, 0], [7, 0, 0]));
  const behind = factsOf([8, 0, 0], [7, 0, 0], [7, 0, 0]);
  assert.throws(() => requirePromises(0, before, now(TO), behind), {
    check: 'a set is left once too few of it are behind to be read',
  });
  assert.throws(() => requirePromises(0, before, now([1, 2, 3]), behind), {
    check: 'there is no way back after the switch',
  });
});
