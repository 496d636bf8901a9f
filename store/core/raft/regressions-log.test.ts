import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, position, Solo } from '../../sim/raft/solo.ts';
import { configurationOf } from './configuration.ts';
import { RaftLog } from './log.ts';
import type { MessageOf } from './messages.ts';
import { RaftInvariantError, type Snapshot, toIndex, toTerm } from './types.ts';

/** Bugs that other stores had in log, snapshots and proposals. mutants.test.ts breaks each rule. */

const snapshotAt = (index: number, term: number): Snapshot => ({
  ...position(index, term),
  configuration: configurationOf([1, 2, 3]),
  data: new Uint8Array(0),
});

test('R4: an entry of an older term is committed only by one of the own term', () => {
  const solo = new Solo({ terms: [1, 2] });
  const term = solo.lead();
  solo.match(2, term, 2);
  assert.equal(solo.raft.status().commit, 1);
  solo.match(2, term, 3);
  assert.equal(solo.raft.status().commit, 3);
});

test('R6: a term begins with an entry of its own', () => {
  const solo = new Solo({ terms: [1, 1] });
  const term = solo.lead();
  assert.deepEqual(solo.raft.status().last, position(3, term));
  for (const voter of [2, 3]) solo.match(voter, term);
  const committed = solo.work().committed.at(-1);
  assert.equal(committed?.type, 'no-op');
});

test('R19: entries that should be there and are not are an error, not the end of the log', () => {
  const log = new RaftLog({
    hardState: { term: toTerm(1), vote: undefined, commit: toIndex(4) },
    snapshot: snapshotAt(4, 1),
    entries: [5, 6].map((index) => command(index, 1)),
    applied: toIndex(4),
  });
  assert.throws(() => log.slice(toIndex(3), 1000), RaftInvariantError);
  assert.throws(() => log.slice(toIndex(5), 1000, toIndex(7)), RaftInvariantError);
});

test('R20: an old append does not shorten the log', () => {
  const solo = new Solo({ terms: [1, 1, 1, 1] });
  const old = { previous: position(1, 1), entries: [command(2, 1)], commit: toIndex(1) };
  const [answer] = solo.answer(2, 1, { type: 'append', ...old });
  assert.ok(answer?.type === 'append-response');
  assert.equal(answer.match, 2);
  assert.equal(solo.raft.status().last.index, 4);
});

test('R20: a late rejection takes nothing back that was matched', () => {
  const solo = new Solo({ terms: [1, 1, 1] });
  const term = solo.leadSettled();
  const reject = (rejected: number) =>
    solo.hear(2, term, { type: 'append-rejection', rejected: toIndex(rejected), hint: position(1, 1) });
  reject(3);
  assert.equal(solo.raft.status().progress.get(2)?.flow, 'replicate');
  reject(6);
  assert.equal(solo.raft.status().progress.get(2)?.flow, 'probe');
  reject(4);
  assert.equal(solo.raft.status().progress.get(2)?.next, 5);
});

test('R21: a leader that steps down keeps what it appended', () => {
  const solo = new Solo();
  const term = solo.leadSettled();
  solo.raft.propose(new Uint8Array(1));
  solo.raft.propose(new Uint8Array(2));
  solo.work();
  solo.hear(2, term + 1, { type: 'heartbeat', commit: toIndex(2), round: 0 });
  assert.equal(solo.raft.status().role, 'follower');
  assert.equal(solo.raft.status().last.index, 4);
});

// That the shell writes snapshot and log in one synced batch is the storage's test.
test('R24: a log with a gap does not start', () => {
  assert.throws(() => new Solo({ snapshot: snapshotAt(2, 1), entries: [command(4, 1)] }), RaftInvariantError);
  assert.throws(() => new Solo({ entries: [command(1, 1), command(3, 1)] }), RaftInvariantError);
});

test('R24: a log that lost committed entries does not start', () => {
  assert.throws(() => new Solo({ terms: [1, 1], hardState: { commit: toIndex(5) } }), RaftInvariantError);
});

test('R24: a log that contradicts its snapshot is dropped, one that goes on from it is kept', () => {
  const stale = [1, 2, 3, 4].map((index) => command(index, 1));
  assert.equal(new Solo({ snapshot: snapshotAt(3, 2), entries: stale }).raft.status().last.index, 3);
  assert.equal(new Solo({ snapshot: snapshotAt(3, 1), entries: stale }).raft.status().last.index, 4);
});

test('R24: a second, older snapshot changes nothing', () => {
  const solo = new Solo();
  const term = solo.leadSettled();
  solo.raft.propose(new Uint8Array(1));
  solo.work();
  solo.match(2, term);
  solo.work();
  const older = solo.raft.describeSnapshot(toIndex(2), new Uint8Array(0));
  const newer = solo.raft.describeSnapshot(toIndex(3), new Uint8Array(0));
  solo.raft.compact(newer, { entriesKept: 0 });
  solo.raft.compact(older, { entriesKept: 0 });
  assert.equal(solo.raft.status().snapshot, 3);
  assert.equal(solo.raft.status().first, 4);
});

test('R25: what is refused is not in the log', () => {
  const limits = { commandBytesMax: 30, uncommittedBytesMax: 60 };
  const solo = new Solo({ limits });
  assert.equal(solo.raft.propose(new Uint8Array(1)).type, 'refused');
  const term = solo.leadSettled();
  const last = () => solo.raft.status().last.index;
  assert.equal(solo.raft.propose(new Uint8Array(31)).type, 'refused');
  assert.equal(last(), 2);
  assert.equal(solo.raft.propose(new Uint8Array(20)).type, 'appended');
  assert.equal(solo.raft.propose(new Uint8Array(30)).type, 'refused');
  assert.equal(last(), 3);
  solo.work();
  solo.match(2, term);
  assert.equal(solo.raft.propose(new Uint8Array(30)).type, 'appended');
  solo.raft.transferLeadership(3);
  assert.equal(solo.raft.propose(new Uint8Array(1)).type, 'refused');
  assert.equal(last(), 4);
});

test('R26: a proposal is not passed on to the leader', () => {
  const solo = new Solo();
  solo.answer(2, 1, { type: 'heartbeat', commit: toIndex(0), round: 0 });
  assert.deepEqual(solo.raft.propose(new Uint8Array(1)), {
    type: 'refused',
    reason: 'not-leader',
    leader: 2,
  });
  assert.deepEqual(solo.work().messages, []);
});

const CHUNK: Omit<MessageOf<'snapshot'>, 'from' | 'to' | 'term'> = {
  type: 'snapshot',
  meta: { ...position(5, 1), configuration: configurationOf([1, 2, 3]) },
  offset: 0,
  bytesTotal: 4,
  data: new Uint8Array([1, 2]),
};

// That a read error ends a snapshot with an error, never early, is the shell's half; here every byte must arrive.
test('R27: a snapshot is installed only when every byte is there', () => {
  const solo = new Solo();
  solo.work();
  assert.deepEqual(
    solo.answer(2, 1, { ...CHUNK, offset: 2 }).map((one) => 'offset' in one && one.offset),
    [0],
  );
  assert.deepEqual(
    solo.answer(2, 1, CHUNK).map((one) => 'offset' in one && one.offset),
    [2],
  );
  assert.equal(solo.raft.status().snapshot, 0);
  solo.hear(2, 1, { ...CHUNK, offset: 2, data: new Uint8Array([3, 4]) });
  const ready = solo.raft.ready();
  assert.deepEqual(ready?.snapshot?.data, new Uint8Array([1, 2, 3, 4]));
});

test('R27: chunks of different leaders are never joined', () => {
  const solo = new Solo();
  solo.work();
  solo.answer(2, 1, CHUNK);
  solo.answer(3, 2, { ...CHUNK, offset: 2 });
  assert.equal(solo.raft.status().snapshot, 0);
});

test('R27: a candidate takes the snapshot of the leader that won', () => {
  const solo = new Solo();
  solo.work();
  solo.raft.campaign();
  solo.hear(2, 2, { type: 'pre-vote-response', isGranted: true });
  assert.equal(solo.raft.status().role, 'candidate');
  solo.hear(3, 2, { ...CHUNK, bytesTotal: 2 });
  assert.equal(solo.raft.status().snapshot, 5);
});

test('R28: a heartbeat\u2019s answer lets a probe go on', () => {
  const solo = new Solo();
  const term = solo.lead();
  assert.deepEqual(solo.work().messages, []);
  const sent = solo.answer(2, term, { type: 'heartbeat-response', round: 0 });
  assert.deepEqual(
    sent.map(({ to, type }) => ({ to, type })),
    [{ to: 2, type: 'append' }],
  );
});

test('R28: a member that answers a probe is caught up, even with no news', () => {
  const solo = new Solo();
  const term = solo.leadSettled();
  solo.hear(2, term, { type: 'append-rejection', rejected: toIndex(3), hint: position(1, 1) });
  assert.equal(solo.raft.status().progress.get(2)?.flow, 'probe');
  solo.match(2, term);
  assert.equal(solo.raft.status().progress.get(2)?.flow, 'replicate');
});

/** A leader at index 4 whose log begins at 5; what member 3 holds is not known. */
function leadCompacted(): { solo: Solo; term: number } {
  const solo = new Solo({ terms: [1, 1, 1] });
  const term = solo.lead();
  solo.match(2, term);
  solo.work();
  solo.raft.compact(solo.raft.describeSnapshot(toIndex(4), new Uint8Array(9)), { entriesKept: 0 });
  return { solo, term };
}

test('R28: a member that caught up by entries needs no snapshot any more', () => {
  const { solo, term } = leadCompacted();
  const hint = position(1, 1);
  const sent = solo.answer(3, term, { type: 'append-rejection', rejected: toIndex(3), hint });
  assert.equal(sent[0]?.type, 'snapshot');
  solo.match(3, term);
  assert.equal(solo.raft.status().progress.get(3)?.flow, 'replicate');
});

test('R28: a full window whose messages were lost and are compacted away falls back to a snapshot', () => {
  const solo = new Solo({ limits: { appendsInFlightMax: 1 } });
  const term = solo.leadSettled();
  for (let i = 0; i < 3; i++) {
    solo.raft.propose(new Uint8Array(1));
    solo.work();
    solo.match(2, term);
    solo.work();
  }
  solo.raft.compact(solo.raft.describeSnapshot(toIndex(5), new Uint8Array(9)), { entriesKept: 0 });
  const sent = solo.answer(3, term, { type: 'heartbeat-response', round: 0 });
  assert.equal(sent[0]?.type, 'snapshot');
});
