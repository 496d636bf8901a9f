import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationOf } from '../../core/raft/configuration.ts';
import type { Message } from '../../core/raft/messages.ts';
import { type Entry, type HardState, toIndex, toTerm } from '../../core/raft/types.ts';
import { DiskLog } from '../world/disk-log.ts';
import { Commits } from './commits.ts';
import { Elections } from './elections.ts';
import { Leases } from './leases.ts';
import { LogMatching } from './log-matching.ts';
import { Promises } from './promises.ts';
import { Violation } from './violation.ts';

/** That each check notices what it is for; that it notices nothing else is shown by the seeds that pass. */
const breaks = (check: string) => (error: unknown) => error instanceof Violation && error.check === check;

const entry = (index: number, term: number): Entry => ({
  type: 'no-op',
  index: toIndex(index),
  term: toTerm(term),
});

function logOf(
  entries: readonly Entry[],
  hardState: { term: number; vote?: number; commit?: number },
): DiskLog {
  const log = new DiskLog();
  for (const each of entries) log.entries.set(each.index, each);
  const { term, vote, commit = 0 } = hardState;
  const state: HardState = { term: toTerm(term), vote, commit: toIndex(commit) };
  log.hardState = state;
  log.durable = { hardState: state, last: entries.at(-1)?.index ?? toIndex(0) };
  return log;
}

const message = (body: object, from: number, to: number, term: number): Message =>
  ({ ...body, from, to, term: toTerm(term) }) as Message;

test('one leader per term: a second one is told by what it sends', () => {
  const elections = new Elections();
  const heartbeat = (from: number): Message =>
    message({ type: 'heartbeat', commit: 0, round: 0 }, from, 3, 5);
  assert.equal(elections.sent(heartbeat(1)), true);
  assert.equal(elections.sent(heartbeat(1)), false);
  assert.throws(() => elections.sent(heartbeat(2)), breaks('one leader per term'));
});

test('promises: a vote and an acknowledgement that are not on the disk', () => {
  const promises = new Promises();
  const log = logOf([entry(1, 1)], { term: 2, vote: 1 });
  promises.sent(message({ type: 'vote-response', isGranted: true }, 2, 1, 2), log);
  promises.sent(message({ type: 'append-response', match: 1 }, 2, 1, 2), log);
  for (const lie of [
    message({ type: 'vote-response', isGranted: true }, 2, 3, 2),
    message({ type: 'vote-response', isGranted: true }, 2, 1, 3),
    message({ type: 'append-response', match: 2 }, 2, 1, 2),
  ])
    assert.throws(() => promises.sent(lie, log), breaks('promises are durable'));
});

test('promises: two votes in a term, and a term that falls', () => {
  const promises = new Promises();
  promises.persisted(logOf([], { term: 2, vote: 1 }), 'd');
  promises.persisted(logOf([], { term: 2, vote: 3 }), 'another');
  assert.throws(() => promises.persisted(logOf([], { term: 2, vote: 3 }), 'd'), breaks('votes are kept'));
  assert.throws(() => promises.persisted(logOf([], { term: 1 }), 'd'), breaks('votes are kept'));
});

test('log matching: one position with two predecessors', () => {
  const matching = new LogMatching();
  const append = (previousTerm: number): Message =>
    message({ type: 'append', previous: { index: 1, term: previousTerm }, entries: [entry(2, 3)] }, 1, 2, 3);
  matching.sent(append(1));
  assert.throws(() => matching.sent(append(2)), breaks('log matching'));
});

test('commits: without a quorum of disks, twice in one place, and unknown to a later leader', () => {
  const configurations = [configurationOf([1, 2, 3], [4])];
  const committed: Entry[] = [];
  const commits = new Commits((each) => void committed.push(each));
  const log = logOf([entry(2, 1)], { term: 1, commit: 2 });
  commits.durable(1, log, [entry(2, 1)]);
  commits.durable(4, log, [entry(2, 1)]);
  const commit = (of: DiskLog): void => commits.committed(of, toIndex(1), toIndex(2), configurations);
  assert.throws(() => commit(log), breaks('commits rest on a quorum of disks'));
  commits.durable(3, log, [entry(2, 1)]);
  commit(log);
  assert.deepEqual(committed, [entry(2, 1)]);
  assert.throws(() => commit(logOf([entry(2, 2)], { term: 2, commit: 2 })), breaks('state machine safety'));
  commits.leads(1, toTerm(2), log);
  assert.throws(() => commits.leads(2, toTerm(2), logOf([], { term: 2 })), breaks('leader completeness'));
});

test('leases: a vote against a leader that was just heard', () => {
  const leases = new Leases();
  const at = (nowMs: number) => ({ nowMs, leaseMs: 1000, term: () => 4 });
  leases.received(message({ type: 'heartbeat', commit: 0, round: 0 }, 1, 2, 4), at(0));
  leases.received(message({ type: 'pre-vote' }, 3, 2, 5), at(999));
  const grant = message({ type: 'pre-vote-response', isGranted: true }, 2, 3, 5);
  assert.throws(() => leases.sent(grant), breaks('a live leader is left alone'));
  leases.received(message({ type: 'pre-vote' }, 3, 2, 5), at(1000));
  leases.sent(grant);
});
