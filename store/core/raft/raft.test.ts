import assert from 'node:assert/strict';
import { test } from 'node:test';
import { position, Solo } from '../../sim/raft/solo.ts';
import { configurationOf } from './configuration.ts';
import { RaftInvariantError, toIndex } from './types.ts';

/** What the caller of `Raft` may rely on, and what it must not do. */

const heartbeat = { type: 'heartbeat', commit: toIndex(0), round: 0 } as const;

test('options that make no sense are refused', () => {
  const start = (limits: object) => () => new Solo({ limits });
  assert.throws(start({ heartbeatTicks: 10, electionTimeoutTicks: 10 }), RangeError);
  assert.throws(start({ appendBytesMax: 0 }), RangeError);
  assert.throws(start({ appendBytesMax: Number.NaN }), RangeError);
  assert.throws(start({ snapshotChunkBytes: -1 }), RangeError);
  assert.doesNotThrow(start({ promotionLagEntriesMax: 0 }));
});

test('ready and advance alternate', () => {
  const solo = new Solo();
  assert.throws(() => solo.raft.advance(), RaftInvariantError);
  assert.ok(solo.raft.ready() !== undefined);
  assert.throws(() => solo.raft.ready(), RaftInvariantError);
  solo.raft.advance();
  assert.equal(solo.raft.ready(), undefined);
});

test('a commit index that moved alone needs no fsync', () => {
  const solo = new Solo({ terms: [1, 1] });
  solo.work();
  solo.hear(2, 1, { ...heartbeat, commit: toIndex(2) });
  const ready = solo.raft.ready();
  assert.equal(ready?.hardState?.commit, 2);
  assert.equal(ready.mustSync, false);
});

test('a second leader of the same term stops the node', () => {
  const solo = new Solo();
  const term = solo.lead();
  assert.throws(() => solo.hear(2, term, heartbeat), RaftInvariantError);
});

test('a heartbeat that commits what this node has lost stops the node', () => {
  const solo = new Solo();
  assert.throws(() => solo.hear(2, 1, { ...heartbeat, commit: toIndex(9) }), RaftInvariantError);
});

test('reads without an answer are bounded, and dropped after two election timeouts', () => {
  const solo = new Solo({ limits: { pendingReadsMax: 2 } });
  solo.answer(2, 1, heartbeat);
  for (let i = 0; i < 2; i++) assert.equal(solo.raft.readIndex().type, 'asked');
  assert.deepEqual(solo.raft.readIndex(), { type: 'refused', reason: 'too-many-reads' });
  for (let i = 0; i < 20; i++) {
    solo.raft.tick();
    solo.hear(2, 1, heartbeat);
  }
  assert.deepEqual(
    solo.work().reads.map((one) => one.type === 'dropped' && one.reason),
    ['timed-out', 'timed-out'],
  );
});

test('a snapshot above the limit is neither described nor received', () => {
  const solo = new Solo({ limits: { snapshotBytesMax: 4 } });
  solo.work();
  assert.throws(() => solo.raft.describeSnapshot(toIndex(1), new Uint8Array(5)), RaftInvariantError);
  const meta = { ...position(5, 1), configuration: configurationOf([1, 2, 3]) };
  const chunk = { type: 'snapshot', meta, offset: 0, bytesTotal: 5, data: new Uint8Array(5) } as const;
  assert.deepEqual(solo.answer(2, 1, chunk), []);
  assert.equal(solo.raft.status().snapshot, 0);
});

test('appends under way are bounded by bytes', () => {
  const solo = new Solo({ limits: { bytesInFlightMax: 100, appendBytesMax: 60 } });
  const term = solo.leadSettled();
  for (let i = 0; i < 6; i++) solo.raft.propose(new Uint8Array(40));
  const to2 = () => solo.work().messages.filter((one) => one.to === 2 && one.type === 'append').length;
  assert.equal(to2(), 2);
  solo.match(2, term, 3);
  assert.equal(to2(), 1);
});

test('leadership goes to a voter only, and to one at a time', () => {
  const solo = new Solo({ learners: [4] });
  assert.deepEqual(solo.raft.transferLeadership(2), { type: 'refused', reason: 'not-leader' });
  solo.leadSettled();
  assert.deepEqual(solo.raft.transferLeadership(1), { type: 'refused', reason: 'already-leader' });
  assert.deepEqual(solo.raft.transferLeadership(4), { type: 'refused', reason: 'not-a-voter' });
  assert.deepEqual(solo.raft.transferLeadership(2), { type: 'started' });
  assert.deepEqual(solo.raft.transferLeadership(3), { type: 'refused', reason: 'transferring' });
});
