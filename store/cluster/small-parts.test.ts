import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Configuration } from '../core/raft/types.ts';
import type { PeerReply } from '../peer/messages.ts';
import { createIsolatedTransport } from '../ports/isolated-transport.ts';
import { PeerError } from '../ports/transport.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { AddressBook } from './address-book.ts';
import { deadline, until } from './deadline.ts';
import { askToJoin, type JoinRequest } from './joiner.ts';
import { namespaceRefusal } from './namespace-refusal.ts';
import { removalRefusal } from './removal-refusal.ts';
import { SeedSearch, type WhoReply } from './seed-search.ts';

const voters = (...numbers: number[]): Configuration => ({
  voters: numbers,
  votersOutgoing: [],
  learners: [],
});

test('an address book keeps what the latest life said, and of one life what came last', () => {
  const book = new AddressBook();
  book.record(1, 2, 'old:1');
  book.record(1, 2, 'new:1');
  book.record(1, 1, 'ancient:1');
  assert.equal(book.addressOf(1), 'new:1');
  assert.equal(book.addressOf(2), undefined);
});

test('a voter may be removed where the others are enough without it', () => {
  const code = (member: number, configuration: Configuration, ...up: number[]) =>
    removalRefusal(member, configuration, (voter) => up.includes(voter))?.code;
  assert.equal(code(1, voters(1)), 'LAST_MEMBER');
  assert.equal(code(1, voters(1, 2, 3), 2, 3), undefined);
  assert.equal(code(1, voters(1, 2, 3), 1, 2), 'QUORUM_AT_RISK');
  assert.equal(code(9, voters(1, 2, 3)), undefined, 'it does not vote');
});

test('the limit of namespaces does not hit one that exists', () => {
  const two = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  assert.equal(namespaceRefusal('c', two, 2)?.code, 'NAMESPACE_LIMIT');
  assert.equal(namespaceRefusal('a', two, 2), undefined);
  assert.equal(namespaceRefusal('c', two, 3), undefined);
});

test('a wait ends with its work or its deadline, whichever is first, and leaves no timer', async () => {
  const clock = new SimClock();
  const parent = new AbortController();
  {
    using wait = deadline(clock, 10, parent.signal);
    assert.equal(await until(Promise.resolve('done'), wait.signal), 'done');
    const late = until(new Promise<string>(() => {}), wait.signal);
    clock.advance(10);
    assert.equal(await late, undefined);
  }
  {
    using _wait = deadline(clock, 10, parent.signal);
  }
  assert.equal(clock.nextDueMs(), undefined);
});

/** A transport whose requests are answered by `answer`. */
function answering(answer: (address: string, asked: number) => PeerReply | PeerError) {
  const asked: string[] = [];
  return {
    asked,
    ...createIsolatedTransport(),
    async request(address: string) {
      asked.push(address);
      const reply = answer(address, asked.length);
      if (reply instanceof PeerError) throw reply;
      return reply;
    },
  };
}

const request: JoinRequest = {
  ...{ clusterId: '1'.repeat(32), name: 'n', directoryId: 'd', weight: 1 },
  ...{ peerAddress: 'n:1', httpAddress: 'n:2', zone: '', version: '0' },
};

async function join(answer: (address: string, asked: number) => PeerReply | PeerError) {
  const transport = answering(answer);
  const reasons: string[] = [];
  const deps = {
    ...{ clock: new SimClock(), transport, timeoutMs: 100, retryMs: 0 },
    onWaiting: (reason: string) => void reasons.push(reason),
  };
  const { signal } = new AbortController();
  const ending = askToJoin(request, 'a:1', deps, signal);
  for (let turn = 0; turn < 50; turn++) {
    await Promise.resolve();
    deps.clock.advance(1);
  }
  return { end: await ending, asked: transport.asked, reasons };
}

test('R26: a joining node follows hints to the leader, and not for ever', async () => {
  const to = (address: string): PeerReply => ({ type: 'not-leader', leader: { member: 1, address } });
  const found = await join((address) =>
    address === 'c:1' ? { type: 'joined', member: 7, partitions: 8, epoch: 1 as never } : to('c:1'),
  );
  assert.deepEqual([found.end?.type, found.asked], ['joined', ['a:1', 'c:1']]);
  const circle = await join((address) => to(address === 'a:1' ? 'b:1' : 'a:1'));
  assert.deepEqual([circle.end, circle.asked.length], [undefined, 4]);
});

test('a join that is refused, not answered or answered with nonsense says why, and can be asked again', async () => {
  const refused = await join(() => ({ type: 'refused', code: 'NAME_TAKEN', message: 'held' }));
  assert.match(refused.reasons[0] ?? '', /held \(NAME_TAKEN\)/);
  const silent = await join(() => new PeerError('TIMEOUT', 'no answer', { isUnsent: false }));
  assert.match(silent.reasons[0] ?? '', /does not answer/);
  const odd = await join(() => ({ type: 'done', epoch: 1 as never, subject: 1 }));
  assert.match(odd.reasons[0] ?? '', /answered with 'done'/);
  for (const { end } of [refused, silent, odd]) assert.equal(end, undefined);
});

test('one cluster: a join of a directory that was a member says that it is stale', async () => {
  const { end } = await join(() => ({ type: 'refused', code: 'MEMBER_STALE', message: 'older' }));
  assert.deepEqual(end, { type: 'stale', reason: 'older' });
});

const who = (addresses: readonly string[] = []): WhoReply => ({
  ...{ type: 'who', clusterId: undefined, leader: undefined, addresses, refusal: undefined },
});

async function search(seeds: readonly string[], rounds: number, onWho: (address: string) => void) {
  const clock = new SimClock();
  const transport = answering(() => who());
  const errors: unknown[] = [];
  const searching = new SeedSearch(
    { seeds: ['all:1'], intervalMs: 10, timeoutMs: 5 },
    {
      ...{ clock, transport, resolver: { resolve: async () => seeds }, addresses: () => [] },
      ...{ onSilence() {}, onUnresolved() {}, onError: (error: unknown) => void errors.push(error) },
    },
  );
  const stopping = new AbortController();
  const run = searching.run(() => true, onWho, stopping.signal);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    clock.advance(10);
  }
  stopping.abort();
  await run;
  return { asked: transport.asked, errors };
}

test('a search goes on after an answer that led to an error', async () => {
  const { asked, errors } = await search(['a:1'], 3, () => {
    throw new Error('a read failed');
  });
  assert.deepEqual([asked.length, errors.length], [3, 3]);
});

test('a search asks everybody in turn where a name stands for more than are asked at once', async () => {
  const seeds = Array.from({ length: 100 }, (_, i) => `n${i}:1`);
  const { asked } = await search(seeds, 4, () => {});
  assert.equal(new Set(asked).size, 100);
});
