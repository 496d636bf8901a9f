import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberId } from '../raft/types.ts';
import { toEpoch } from '../topology/types.ts';
import type { Version } from '../version/version.ts';
import type { Level } from './quorum-sizes.ts';
import {
  hearRead,
  learnReadEpoch,
  type Read,
  type ReadReply,
  readVerdict,
  restartRead,
  startRead,
} from './read-decision.ts';
import type { ReplicaSets } from './replica-sets.ts';

const at = (wallMs: number): Version => ({ wallMs, counter: 0, member: 1 });
const E1 = toEpoch(1);
const STILL: ReplicaSets = { type: 'still', set: [1, 2, 3] };
const start = (sets: ReplicaSets = STILL, level: Level = 'quorum') =>
  startRead<string>({ epoch: E1, sets }, level);
type Body = ReadReply<string>['body'];
const hear = (read: Read<string>, member: MemberId, body: Body, attempt = read.attempt, epoch = E1) =>
  hearRead(read, { member, epoch, attempt, body });

/** What a member sees: version `ms` (0: nothing), its watermark, and the value where it was asked for. */
const sight = (ms: number, watermarkMs = 0, isFull = false): Body => ({
  type: 'sight',
  version: ms === 0 ? undefined : at(ms),
  watermark: at(watermarkMs),
  isFull,
  data: isFull && ms > 0 ? `v${ms}` : undefined,
});
const full = (ms: number, watermarkMs = 0): Body => sight(ms, watermarkMs, true);
const held = (ms: number): Body => ({ type: 'held', version: at(ms) });
const lost = (request: 'ask' | 'write-back'): Body => ({
  type: 'failed',
  request,
  failure: { type: 'unreachable', code: 'LINK_DOWN' },
});
const found = (ms: number, watermarkMs = 0) => ({
  version: at(ms),
  data: `v${ms}`,
  sourceWatermark: at(watermarkMs),
});
const all = (read: Read<string>, ...heard: readonly (readonly [MemberId, Body])[]) =>
  heard.reduce((so, [member, body]) => hear(so, member, body), read);

test('a read asks one for the value and R-1 for versions, and answers when they agree', () => {
  let read = start();
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [1], version: [2] });
  read = hear(read, 1, full(5));
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [], version: [2] });
  read = hear(read, 2, sight(5));
  assert.deepEqual(readVerdict(read), { type: 'answered', found: found(5), repairs: [] });
});

test('a key that nobody has is answered without a second question', () => {
  const read = hear(start(), 1, full(0));
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [], version: [2] });
  assert.deepEqual(readVerdict(hear(read, 2, sight(0))), { type: 'answered', found: undefined, repairs: [] });
});

test('the newest wins: where another has it, its value is asked for', () => {
  let read = all(start(), [1, full(5)], [2, sight(7)]);
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [2], version: [] });
  read = hear(read, 2, full(7));
  assert.deepEqual(readVerdict(read), { type: 'write-back', members: [1], ...found(7) });
});

test('D7: the newest is written back until W hold it, and only then answered', () => {
  let read = all(start(), [1, full(7)], [2, sight(5)]);
  assert.deepEqual(readVerdict(read), { type: 'write-back', members: [2], ...found(7) });
  read = hear(read, 2, held(6));
  assert.equal(readVerdict(read).type, 'write-back', 'an older version held proves nothing');
  assert.deepEqual(readVerdict(hear(read, 2, held(7))), { type: 'answered', found: found(7), repairs: [] });
  assert.equal(readVerdict(hear(read, 2, held(8))).type, 'answered', 'a newer one counts');
});

test('D7: where the write-back fails on too many, nothing is answered', () => {
  let read = all(start(), [1, full(7)], [2, sight(5)], [2, lost('write-back')]);
  assert.deepEqual(readVerdict(read), { type: 'write-back', members: [3], ...found(7) });
  read = hear(read, 3, lost('write-back'));
  assert.deepEqual(readVerdict(read), {
    type: 'failed',
    answers: [
      { member: 1, said: 'answered' },
      { member: 2, said: 'unreachable LINK_DOWN' },
      { member: 3, said: 'unreachable LINK_DOWN' },
    ],
  });
});

test('what is left behind is repaired after the answer, also what is heard late', () => {
  const read = all(start(), [1, full(7)], [2, sight(7)], [3, sight(5)]);
  assert.deepEqual(readVerdict(read), { type: 'answered', found: found(7), repairs: [3] });
});

test('who is at its watermark is not repaired: it would refuse', () => {
  const read = all(start(), [1, full(7)], [2, sight(7)], [3, sight(5, 7)]);
  assert.deepEqual(readVerdict(read), { type: 'answered', found: found(7), repairs: [] });
});

test('"nothing up to m" beats a version at m and below, and none above', () => {
  const answer = (watermarkMs: number) => readVerdict(all(start(), [1, full(7)], [2, sight(0, watermarkMs)]));
  assert.deepEqual(answer(7), { type: 'answered', found: undefined, repairs: [] });
  assert.deepEqual(answer(8), { type: 'answered', found: undefined, repairs: [] });
  assert.deepEqual(answer(6), { type: 'write-back', members: [2], ...found(7) });
});

test('a watermark of a replica that has the key beats nothing', () => {
  const read = all(start(), [1, full(7)], [2, sight(7, 9)]);
  assert.deepEqual(readVerdict(read), { type: 'answered', found: found(7), repairs: [] });
});

test('a write-back that a watermark refuses never counts: the read starts again', () => {
  let read = all(start(), [1, full(7)], [2, sight(5)]);
  read = hear(read, 2, { type: 'below-watermark' });
  assert.deepEqual(readVerdict(read), { type: 'restart', epoch: E1 });
  const again = restartRead(read, read.view);
  assert.equal(again.attempt, 2);
  assert.deepEqual(readVerdict(again), { type: 'ask', value: [1], version: [2] });
});

test('answers of another attempt or epoch never count, and a newer epoch restarts', () => {
  const read = start();
  for (const [attempt, epoch] of [
    [0, 1],
    [2, 1],
    [1, 0],
  ] as const) {
    const heard = all(read, [1, full(7)]);
    assert.deepEqual(hear(heard, 2, sight(7), attempt, toEpoch(epoch)), heard);
  }
  const outdated = hear(read, 2, sight(7), 1, toEpoch(2));
  assert.deepEqual(readVerdict(outdated), { type: 'restart', epoch: 2 });
  assert.equal(outdated.sights.size, 0);
  assert.deepEqual(readVerdict(learnReadEpoch(read, toEpoch(3))), { type: 'restart', epoch: 3 });
  assert.throws(() => restartRead(outdated, read.view), /epoch 2 is known/);
});

test('a substitute takes the place of who fails; too few are a failure', () => {
  let read = hear(start(), 1, lost('ask'));
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [2], version: [3] });
  read = hear(read, 2, lost('ask'));
  assert.equal(readVerdict(read).type, 'failed');
  read = all(read, [2, full(5)], [3, sight(5)]);
  assert.equal(readVerdict(read).type, 'answered', 'who answers late counts');
});

test('the holder of the newest fails before it gave the value: it is as if never heard', () => {
  const read = all(start(), [1, full(5)], [2, sight(7)], [2, lost('ask')]);
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [], version: [3] });
  assert.deepEqual(readVerdict(hear(read, 3, sight(5))), { type: 'answered', found: found(5), repairs: [] });
});

test('a read at 1 answers from one, a read at all hears everybody', () => {
  assert.equal(readVerdict(hear(start(STILL, 1), 1, full(5))).type, 'answered');
  const read = all(start(STILL, 'all'), [1, full(5)], [2, sight(5)]);
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [], version: [3] });
});

const moving = (type: 'joint' | 'transfer' | 'switch'): ReplicaSets => ({
  type,
  from: [1, 2, 3],
  to: [4, 5, 6],
});

test('joint: F is asked and written back to, T is not', () => {
  const read = all(start(moving('joint')), [1, full(7)], [2, sight(7)]);
  assert.deepEqual(readVerdict(read), { type: 'answered', found: found(7), repairs: [] });
  const differing = all(start(moving('joint')), [1, full(7)], [2, sight(5)], [4, sight(7)], [5, sight(7)]);
  assert.deepEqual(readVerdict(differing), { type: 'write-back', members: [2], ...found(7) });
});

test('transfer: F is asked; W of T must hold the answer even where all of R agree', () => {
  let read = start(moving('transfer'));
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [1], version: [2, 4, 5] });
  read = all(read, [1, full(7, 3)], [2, sight(7)]);
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [], version: [4, 5] });
  read = all(read, [4, sight(8)], [5, sight(0)]);
  assert.deepEqual(readVerdict(read), { type: 'write-back', members: [5], ...found(7, 3) });
  assert.equal(readVerdict(hear(read, 5, held(7))).type, 'answered');
});

test('transfer: W of F must hold it as well', () => {
  const read = all(start(moving('transfer')), [1, full(7)], [2, sight(5)], [4, sight(7)], [5, sight(7)]);
  assert.deepEqual(readVerdict(read), { type: 'write-back', members: [2], ...found(7) });
});

test('transfer: a newer version that only T has is no answer of F', () => {
  const read = all(start(moving('transfer')), [1, full(5)], [2, sight(5)], [4, sight(7)], [5, sight(7)]);
  assert.deepEqual(readVerdict(read), { type: 'answered', found: found(5), repairs: [] });
});

test('transfer: "nothing up to m" of a member that enters hides no record; after the switch it does', () => {
  const before = all(start(moving('transfer')), [1, full(7)], [2, sight(7)], [4, sight(0, 9)], [5, sight(7)]);
  assert.deepEqual(readVerdict(before), { type: 'write-back', members: [4], ...found(7) });
  const after = all(start(moving('switch')), [4, full(7)], [5, sight(0, 9)], [1, sight(7)], [2, sight(7)]);
  assert.deepEqual(readVerdict(after), { type: 'answered', found: undefined, repairs: [] });
});

test('switch: T is asked, and W of F hold the answer too', () => {
  let read = start(moving('switch'));
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [4], version: [5, 1, 2] });
  read = all(read, [4, full(7)], [5, sight(7)], [1, sight(7)], [2, sight(5)]);
  assert.deepEqual(readVerdict(read), { type: 'write-back', members: [2], ...found(7) });
});

test('the sets of a move are judged each by its own size', () => {
  const sets: ReplicaSets = { type: 'transfer', from: [1], to: [1, 2, 3] };
  let read = start(sets);
  assert.deepEqual(readVerdict(read), { type: 'ask', value: [1], version: [2] });
  read = all(read, [1, full(7)], [2, sight(7)]);
  assert.equal(readVerdict(read).type, 'answered');
});
