import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, position, Solo } from '../../sim/raft/solo.ts';
import { toIndex, toTerm } from './types.ts';

/** Bugs that other stores had in elections, by the ids of the project's list. mutants.test.ts breaks each rule. */

const vote = (index: number, term: number) =>
  ({ type: 'vote', last: position(index, term), isTransfer: false }) as const;
const preVote = (index: number, term: number) => ({ type: 'pre-vote', last: position(index, term) }) as const;
const heartbeat = { type: 'heartbeat', commit: toIndex(0), round: 0 } as const;

// The disk's half of R1 and R2, that the shell does fsync what `mustSync` names, is the storage's test.
test('R1: a vote leaves with the Ready that persists it, and binds after a restart', () => {
  const solo = new Solo({ hardState: { term: toTerm(2) } });
  solo.work();
  solo.hear(2, 2, vote(1, 1));
  const ready = solo.raft.ready();
  assert.deepEqual(ready?.hardState, { term: 2, vote: 2, commit: 1 });
  assert.equal(ready.mustSync, true);
  assert.deepEqual(ready.earlyMessages, []);
  assert.equal(ready.messages[0]?.type, 'vote-response');

  const restarted = new Solo({ hardState: ready.hardState });
  const [answer] = restarted.answer(3, 2, vote(1, 1));
  assert.ok(answer?.type === 'vote-response' && !answer.isGranted);
});

// Found by cluster.test.ts: such a leader crashed, and its voter elected another in the same term.
test('R1: a sole voter leads only once its own vote is on disk', () => {
  const solo = new Solo({ voters: [1] });
  solo.work();
  solo.raft.campaign();
  assert.equal(solo.raft.ready()?.hardState?.vote, 1);
  assert.equal(solo.raft.status().role, 'candidate');
  solo.raft.advance();
  assert.equal(solo.raft.status().role, 'leader');
});

test('R2: a raised term and new entries are persisted with the answer that rests on them', () => {
  const solo = new Solo();
  solo.work();
  solo.hear(2, 5, { type: 'append', previous: position(1, 1), entries: [command(2, 5)], commit: toIndex(1) });
  const ready = solo.raft.ready();
  assert.equal(ready?.hardState?.term, 5);
  assert.equal(ready.entries.length, 1);
  assert.equal(ready.mustSync, true);
  assert.deepEqual(ready.earlyMessages, []);
  assert.equal(ready.messages[0]?.type, 'append-response');
});

test('R2: a leader counts its own disk only once it was told of it', () => {
  const solo = new Solo({ voters: [1] });
  solo.lead();
  solo.raft.propose(new Uint8Array(1));
  assert.deepEqual(solo.raft.ready()?.committed, []);
  solo.raft.propose(new Uint8Array(2));
  assert.equal(solo.raft.status().commit, 2);
  solo.raft.advance();
  assert.equal(solo.raft.status().commit, 3);
});

test('R2: only what a leader sends goes out before the disk is written', () => {
  const solo = new Solo({ voters: [1], learners: [2] });
  solo.lead();
  solo.raft.propose(new Uint8Array(1));
  solo.raft.tick();
  solo.hear(3, 9, vote(9, 8));
  const ready = solo.raft.ready();
  assert.deepEqual(
    ready?.earlyMessages.map(({ type }) => type),
    ['heartbeat'],
  );
  solo.raft.advance();
  const follower = new Solo();
  follower.hear(2, 2, vote(1, 1));
  assert.deepEqual(follower.raft.ready()?.earlyMessages, []);
});

test('R3: the vote stays when a candidate falls back to follower in the same term', () => {
  const solo = new Solo();
  solo.raft.campaign();
  solo.hear(2, 2, { type: 'pre-vote-response', isGranted: true });
  assert.equal(solo.raft.status().role, 'candidate');
  for (const voter of [2, 3]) solo.hear(voter, 2, { type: 'vote-response', isGranted: false });
  assert.equal(solo.raft.status().role, 'follower');
  solo.work();
  const [answer] = solo.answer(3, 2, vote(9, 1));
  assert.ok(answer?.type === 'vote-response' && !answer.isGranted);
});

test('R3: the vote stays when the leader of the term is heard', () => {
  const solo = new Solo();
  solo.answer(2, 2, vote(1, 1));
  solo.answer(2, 2, heartbeat);
  assert.equal(solo.raft.status().vote, 2);
});

test('R11: a refused pre-vote tells the newer term, and the candidate takes it', () => {
  const ahead = new Solo({ hardState: { term: toTerm(5) } });
  const [answer] = ahead.answer(2, 3, preVote(9, 2));
  assert.ok(answer?.type === 'pre-vote-response' && !answer.isGranted);
  assert.equal(answer.term, 5);

  const behind = new Solo();
  behind.raft.campaign();
  behind.hear(2, 5, { type: 'pre-vote-response', isGranted: false });
  assert.equal(behind.raft.status().term, 5);
});

test('R11: a leader of an older term hears that its term is over', () => {
  const ahead = new Solo({ hardState: { term: toTerm(5) } });
  const answers = ahead.answer(2, 3, heartbeat);
  assert.deepEqual(
    answers.map(({ type, term }) => ({ type, term })),
    [{ type: 'stale-term', term: 5 }],
  );

  const leader = new Solo();
  leader.lead();
  leader.hear(2, 5, { type: 'stale-term' });
  assert.equal(leader.raft.status().role, 'follower');
  assert.equal(leader.raft.status().term, 5);
});

test('R11: a pre-candidate protects no leader', () => {
  const solo = new Solo();
  solo.answer(2, 1, heartbeat);
  for (let i = 0; i < 20 && solo.raft.status().role === 'follower'; i++) solo.raft.tick();
  assert.equal(solo.raft.status().role, 'pre-candidate');
  solo.work();
  const [answer] = solo.answer(3, 2, preVote(1, 1));
  assert.ok(answer?.type === 'pre-vote-response' && answer.isGranted);
});

test('R12: a removed or cut-off member does not depose a live leader', () => {
  const follower = new Solo();
  follower.answer(2, 1, heartbeat);
  assert.deepEqual(follower.answer(7, 9, preVote(9, 8)), []);
  assert.deepEqual(follower.answer(7, 9, vote(9, 8)), []);
  assert.equal(follower.raft.status().term, 1);

  const leader = new Solo();
  leader.lead();
  assert.deepEqual(leader.answer(3, 9, vote(9, 8)), []);
  assert.equal(leader.raft.status().role, 'leader');
});

test('R12: a member that is no voter does not campaign', () => {
  const learner = new Solo({ id: 4, learners: [4] });
  learner.work();
  for (let i = 0; i < 100; i++) learner.raft.tick();
  learner.raft.campaign();
  assert.equal(learner.raft.status().role, 'follower');
  assert.deepEqual(learner.work().messages, []);
});

test('R13: a member that does not know yet that it is a voter votes', () => {
  const learner = new Solo({ id: 4, learners: [4] });
  const [answer] = learner.answer(3, 2, vote(2, 1));
  assert.ok(answer?.type === 'vote-response' && answer.isGranted);
});

test('R18: a vote is judged by the whole log, also by entries on their way to the disk', () => {
  const solo = new Solo();
  solo.work();
  solo.hear(2, 2, { type: 'append', previous: position(1, 1), entries: [command(2, 2)], commit: toIndex(1) });
  const ready = solo.raft.ready();
  assert.equal(ready?.entries.length, 1);
  solo.hear(3, 3, { ...vote(1, 1), isTransfer: true });
  solo.raft.advance();
  const [answer] = solo.work().messages;
  assert.ok(answer?.type === 'vote-response' && !answer.isGranted);
});

test('R22: only voters elect, and each of them once', () => {
  const solo = new Solo({ voters: [1, 2, 3, 4, 5], learners: [6] });
  solo.raft.campaign();
  for (const voter of [2, 3]) solo.hear(voter, 2, { type: 'pre-vote-response', isGranted: true });
  solo.work();
  for (const voter of [2, 2, 6, 7]) solo.hear(voter, 2, { type: 'vote-response', isGranted: true });
  assert.equal(solo.raft.status().role, 'candidate');
  solo.hear(5, 2, { type: 'vote-response', isGranted: true });
  assert.equal(solo.raft.status().role, 'leader');
});

test('R22: a stranger\u2019s answer is refused, whatever its term', () => {
  const solo = new Solo();
  solo.lead();
  const outcome = solo.hear(9, 99, { type: 'append-response', match: toIndex(1) });
  assert.deepEqual(outcome, { type: 'refused', reason: 'not-a-member' });
  assert.equal(solo.raft.status().role, 'leader');
});

test('R22: a message for another member is refused', () => {
  const solo = new Solo();
  const outcome = solo.raft.step({ ...heartbeat, from: 2, to: 4, term: toTerm(7) });
  assert.deepEqual(outcome, { type: 'refused', reason: 'not-for-me' });
  assert.equal(solo.raft.status().term, 1);
});
