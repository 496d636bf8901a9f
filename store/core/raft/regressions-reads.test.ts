import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Solo } from '../../sim/raft/solo.ts';
import { toIndex } from './types.ts';

/** Bugs that other stores had in linearizable reads. mutants.test.ts breaks each rule. */

const answerRound = (solo: Solo, from: number, term: number, round: number) =>
  solo.hear(from, term, { type: 'heartbeat-response', round });

test('R7: a read waits for a commit in the own term', () => {
  const solo = new Solo({ terms: [1, 1] });
  const term = solo.lead();
  solo.raft.readIndex();
  assert.deepEqual(solo.work().messages, []);
  answerRound(solo, 2, term, 0);
  assert.deepEqual(solo.work().reads, []);
  solo.match(2, term);
  const rounds = solo.work().messages.filter((one) => one.type === 'heartbeat');
  assert.deepEqual(
    rounds.map(({ to }) => to),
    [2, 3],
  );
  answerRound(solo, 3, term, 1);
  assert.deepEqual(
    solo.work().reads.map((one) => one.type === 'confirmed' && one.index),
    [3],
  );
});

test('R8: only an answer to the read\u2019s own round confirms it', () => {
  const solo = new Solo();
  const term = solo.leadSettled();
  solo.raft.readIndex();
  solo.work();
  answerRound(solo, 2, term, 1);
  assert.equal(solo.work().reads.length, 1);
  solo.raft.readIndex();
  solo.work();
  answerRound(solo, 2, term, 1);
  answerRound(solo, 3, term, 1);
  assert.deepEqual(solo.work().reads, []);
  answerRound(solo, 3, term, 2);
  assert.equal(solo.work().reads.length, 1);
});

test('R8: an answer to a request of an earlier life confirms nothing', () => {
  const solo = new Solo({ limits: { incarnation: 2 } });
  solo.answer(2, 1, { type: 'heartbeat', commit: toIndex(0), round: 0 });
  const outcome = solo.raft.readIndex();
  assert.ok(outcome.type === 'asked');
  solo.work();
  const answer = { type: 'read-index-response', index: toIndex(1) } as const;
  solo.hear(2, 1, { ...answer, id: { ...outcome.id, incarnation: 1 } });
  assert.deepEqual(solo.work().reads, []);
  solo.hear(2, 1, { ...answer, id: outcome.id });
  assert.equal(solo.work().reads[0]?.type, 'confirmed');
});

test('R9: a deposed leader confirms no read, and says so once it knows', () => {
  const solo = new Solo();
  solo.leadSettled();
  for (let i = 0; i < 10; i++) solo.raft.tick();
  solo.raft.readIndex();
  for (let i = 0; i < 9; i++) solo.raft.tick();
  assert.deepEqual(solo.work().reads, []);
  solo.raft.tick();
  assert.equal(solo.raft.status().role, 'follower');
  assert.deepEqual(
    solo.work().reads.map((one) => one.type === 'dropped' && one.reason),
    ['leader-changed'],
  );
  assert.deepEqual(solo.raft.readIndex(), { type: 'refused', reason: 'no-leader' });
});

test('R10: recent answers confirm no later read, however little time has passed', () => {
  const solo = new Solo();
  const term = solo.leadSettled();
  for (const voter of [2, 3]) answerRound(solo, voter, term, 0);
  solo.raft.transferLeadership(2);
  solo.raft.readIndex();
  assert.deepEqual(solo.work().reads, []);
});
