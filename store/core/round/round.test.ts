import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch } from '../topology/types.ts';
import type { Version } from '../version/version.ts';
import {
  comparedAll,
  hearRound,
  learnRoundEpoch,
  type RoundAnswer,
  roundVerdict,
  startRound,
} from './round.ts';

const at = (wallMs: number): Version => ({ wallMs, counter: 0, member: 0 });
const ID = { initiator: 1, incarnation: 2, number: 3, floor: at(50) };
const EPOCH = toEpoch(7);
const ROUND = startRound(EPOCH, ID, [1, 2, 3]);

const answer = (member: number, change: Partial<RoundAnswer> = {}): RoundAnswer => {
  return { member, epoch: EPOCH, round: ID, stage: 'floor', floor: at(50), watermark: at(0), ...change };
};
const CONFIRMED = [1, 2, 3].reduce((round, member) => hearRound(round, answer(member)), ROUND);

test('a round goes floor, compare, settle, ended', () => {
  assert.deepEqual(roundVerdict(ROUND), { type: 'floor', members: [1, 2, 3] });
  assert.deepEqual(roundVerdict(hearRound(ROUND, answer(2))), { type: 'floor', members: [1, 3] });
  assert.deepEqual(roundVerdict(CONFIRMED), { type: 'compare' });
  const settled = comparedAll(CONFIRMED);
  assert.deepEqual(roundVerdict(settled), { type: 'settle', members: [1, 2, 3] });
  const told = { stage: 'settled', watermark: at(50) } as const;
  const ended = [1, 2, 3].reduce((round, member) => hearRound(round, answer(member, told)), settled);
  assert.deepEqual(roundVerdict(ended), { type: 'ended' });
});

test('answers of another round, member or older epoch, or below the floor, do not count', () => {
  const others: readonly RoundAnswer[] = [
    answer(4),
    answer(2, { epoch: toEpoch(6) }),
    answer(2, { round: { ...ID, number: 2 } }),
    answer(2, { round: { ...ID, incarnation: 1 } }),
    answer(2, { round: { ...ID, initiator: 2 } }),
    answer(2, { round: { ...ID, floor: at(49) } }),
    answer(2, { floor: at(49) }),
    answer(2, { stage: 'settled', watermark: at(50) }),
  ];
  for (const other of others) assert.deepEqual(hearRound(ROUND, other), ROUND);
});

test('a floor that is higher already, by an overlapping round, counts', () => {
  assert.deepEqual(roundVerdict(hearRound(ROUND, answer(2, { floor: at(60) }))), {
    type: 'floor',
    members: [1, 3],
  });
});

test('a round is void once the epoch of its partition changes, at any stage', () => {
  const newer = toEpoch(8);
  for (const round of [ROUND, CONFIRMED, comparedAll(CONFIRMED)]) {
    assert.deepEqual(roundVerdict(learnRoundEpoch(round, newer)), { type: 'void' });
    assert.deepEqual(roundVerdict(hearRound(round, answer(2, { epoch: newer }))), { type: 'void' });
  }
});

test('the keys are not taken for compared before all confirmed', () => {
  assert.throws(() => comparedAll(hearRound(ROUND, answer(1))), /once all/);
});
