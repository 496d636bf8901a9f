import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, config, position, Solo } from '../../sim/raft/solo.ts';
import { configurationOf } from './configuration.ts';
import { toIndex } from './types.ts';

/** Bugs that other stores had in changes of membership. mutants.test.ts breaks each rule. */

const add = (member: number) => ({ type: 'add-learner', member }) as const;
const promote = (member: number) => ({ type: 'promote', member }) as const;
const remove = (member: number) => ({ type: 'remove', member }) as const;

test('R5: no change of configuration before an entry of the own term is committed', () => {
  const solo = new Solo();
  const term = solo.lead();
  assert.deepEqual(solo.raft.proposeConfChange([remove(3)]), { type: 'refused', reason: 'term-not-settled' });
  solo.match(2, term);
  assert.equal(solo.raft.proposeConfChange([remove(3)]).type, 'appended');
});

test('R5: one change of configuration at a time', () => {
  const solo = new Solo();
  solo.leadSettled();
  assert.equal(solo.raft.proposeConfChange([add(4)]).type, 'appended');
  const outcome = solo.raft.proposeConfChange([add(5)]);
  assert.deepEqual(outcome, { type: 'refused', reason: 'change-in-progress', index: 3 });
});

test('R14: an installed snapshot drops later entries and their configuration', () => {
  const entries = [
    config(1, 1, configurationOf([1, 2, 3])),
    command(2, 1),
    command(3, 1),
    config(4, 1, configurationOf([1, 2])),
  ];
  const solo = new Solo({ entries });
  solo.work();
  const meta = { ...position(3, 2), configuration: configurationOf([1, 3]) };
  solo.hear(3, 2, { type: 'snapshot', meta, offset: 0, bytesTotal: 0, data: new Uint8Array(0) });
  assert.deepEqual(solo.raft.status().configuration, configurationOf([1, 3]));
  assert.deepEqual(solo.raft.status().last, position(3, 2));
});

test('R15: a snapshot holds the configuration of its index, not a later one', () => {
  const solo = new Solo();
  solo.leadSettled();
  solo.raft.proposeConfChange([add(4)]);
  solo.work();
  const snapshot = solo.raft.describeSnapshot(toIndex(2), new Uint8Array(0));
  assert.deepEqual(snapshot.configuration, configurationOf([1, 2, 3]));
});

test('R15: compaction keeps a later configuration, and its loss restores the one before', () => {
  const solo = new Solo();
  const term = solo.leadSettled();
  solo.raft.proposeConfChange([add(4)]);
  solo.work();
  solo.raft.compact(solo.raft.describeSnapshot(toIndex(2), new Uint8Array(0)), { entriesKept: 0 });
  assert.deepEqual(solo.raft.status().configuration, configurationOf([1, 2, 3], [4]));
  const other = { previous: position(2, term), entries: [command(3, term + 1)], commit: toIndex(2) };
  solo.hear(2, term + 1, { type: 'append', ...other });
  assert.deepEqual(solo.raft.status().configuration, configurationOf([1, 2, 3]));
});

test('R16: a restart takes up the latest configuration of the log, committed or not', () => {
  const entries = [config(1, 1, configurationOf([1, 2, 3])), config(2, 1, configurationOf([1, 2, 3, 4]))];
  const solo = new Solo({ entries });
  assert.deepEqual(solo.raft.status().configuration, configurationOf([1, 2, 3, 4]));
  assert.equal(solo.raft.status().commit, 1);
});

/** A leader with an uncommitted command at 3 and the joint configuration (1 2 3 4 5)&(1 2 3) at 4. */
function leadJoint(): { solo: Solo; term: number } {
  const solo = new Solo({ learners: [4, 5] });
  const term = solo.leadSettled();
  for (const learner of [4, 5]) solo.match(learner, term);
  solo.raft.propose(new Uint8Array(1));
  solo.raft.proposeConfChange([promote(4), promote(5)]);
  solo.work();
  return { solo, term };
}

test('R16: a joint configuration is left only once it is committed', () => {
  const { solo, term } = leadJoint();
  for (const voter of [2, 4]) solo.match(voter, term, 3);
  assert.equal(solo.raft.status().commit, 3);
  assert.equal(solo.raft.status().last.index, 4);
  for (const voter of [2, 4]) solo.match(voter, term, 4);
  assert.equal(solo.raft.status().commit, 4);
  assert.deepEqual(solo.raft.status().configuration, configurationOf([1, 2, 3, 4, 5]));
  assert.equal(solo.raft.status().last.index, 5);
});

test('R17: a joint configuration commits by a majority of each half', () => {
  const { solo, term } = leadJoint();
  for (const voter of [4, 5]) solo.match(voter, term);
  assert.equal(solo.raft.status().commit, 2);
  solo.match(3, term);
  assert.equal(solo.raft.status().commit, 4);
});

test('R17: what shares a batch with a new configuration needs its quorum', () => {
  const solo = new Solo({ voters: [1], learners: [2] });
  const term = solo.leadSettled();
  solo.match(2, term);
  solo.raft.propose(new Uint8Array(1));
  solo.raft.proposeConfChange([promote(2)]);
  solo.raft.propose(new Uint8Array(1));
  solo.work();
  assert.equal(solo.raft.status().commit, 2);
  solo.match(2, term);
  assert.equal(solo.raft.status().commit, 5);
});

test('Thesis 4.2.1: a learner that lags is not promoted', () => {
  const solo = new Solo({ learners: [4], limits: { promotionLagEntriesMax: 1 } });
  const term = solo.leadSettled();
  assert.deepEqual(solo.raft.proposeConfChange([promote(4)]), {
    type: 'refused',
    reason: 'learner-behind',
    member: 4,
    entriesMissing: 2,
  });
  solo.match(4, term, 1);
  assert.equal(solo.raft.proposeConfChange([promote(4)]).type, 'appended');
});

// Found by cluster.test.ts: members 2 and 3, each unable to win without the other.
test('Thesis 4.2.2: a leader that appended its own removal and crashed may still win, by others\u2019 votes', () => {
  const entries = [config(1, 1, configurationOf([2, 3])), config(2, 1, configurationOf([3], [2]))];
  const solo = new Solo({ id: 2, entries });
  solo.raft.campaign();
  assert.equal(solo.raft.status().role, 'pre-candidate');
  solo.hear(3, 2, { type: 'pre-vote-response', isGranted: true });
  assert.equal(solo.raft.status().role, 'candidate');
  solo.hear(3, 2, { type: 'vote-response', isGranted: true });
  assert.equal(solo.raft.status().role, 'leader');
  solo.work();
  solo.match(3, 2);
  assert.equal(solo.raft.status().role, 'follower');
  assert.equal(solo.work().messages.at(-1)?.type, 'timeout-now');
});
