import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MemberId } from '../raft/types.ts';
import { toEpoch } from '../topology/types.ts';
import type { Version } from '../version/version.ts';
import type { Level } from './quorum-sizes.ts';
import { askedSet, type ReplicaSets } from './replica-sets.ts';
import {
  type AskAnswer,
  DEFAULT_LEVELS,
  hearWrite,
  learnWriteEpoch,
  restartWrite,
  resumeWrite,
  stamped,
  startWrite,
  type Write,
  type WriteReply,
  writeReport,
  writeVerdict,
} from './write-decision.ts';

const at = (wallMs: number): Version => ({ wallMs, counter: 0, member: 1 });
const E1 = toEpoch(1);
const E2 = toEpoch(2);
const STILL: ReplicaSets = { type: 'still', set: [1, 2, 3] };
const start = (sets: ReplicaSets = STILL, w: Level = 'quorum') =>
  startWrite({ epoch: E1, sets }, { ...DEFAULT_LEVELS, w });
type Body = WriteReply['body'];
const hear = (
  write: Write,
  member: MemberId,
  body: Body,
  attempt = write.attempt,
  epoch = write.view.epoch,
) => hearWrite(write, { member, epoch, attempt, body });
const all = (write: Write, ...heard: readonly (readonly [MemberId, Body])[]) =>
  heard.reduce((so, [member, body]) => hear(so, member, body), write);

const knows = (said: Partial<Omit<AskAnswer, 'type'>>): AskAnswer => ({
  type: 'versions',
  version: undefined,
  floor: at(1),
  watermark: at(1),
  clock: at(1),
  ...said,
});
const held = (ms: number): Body => ({ type: 'held', version: at(ms) });
const failed = (request: 'ask' | 'store', type: 'refused' | 'unreachable' = 'unreachable'): Body => ({
  type: 'failed',
  request,
  failure: { type, code: 'TEST' },
});
const stampedAt = (ms: number, sets: ReplicaSets = STILL, w: Level = 'quorum') => {
  const answers = askedSet(sets).map((member): readonly [MemberId, Body] => [member, knows({})]);
  return stamped(all(start(sets, w), ...answers), at(ms));
};

test('a write asks R, then wants a stamp above each thing that they say', () => {
  let write = start();
  assert.deepEqual(writeVerdict(write), { type: 'ask', members: [1, 2] });
  write = hear(write, 2, knows({}));
  assert.deepEqual(writeVerdict(write), { type: 'ask', members: [1] });
  for (const said of ['version', 'floor', 'watermark', 'clock'] as const) {
    assert.deepEqual(writeVerdict(hear(write, 1, knows({ [said]: at(9) }))), { type: 'stamp', above: at(9) });
  }
});

test('a stamp at or below the answers, a second one, and one before them are refused', () => {
  const asked = all(start(), [1, knows({ version: at(9) })], [2, knows({})]);
  assert.throws(() => stamped(asked, at(9)), RangeError);
  const write = stamped(asked, at(10));
  assert.throws(() => stamped(write, at(11)), /stamped once/);
  assert.throws(() => stamped(start(), at(10)), /stamped once/);
});

test('a substitute is asked for who fails; too few leave the key unwritten', () => {
  let write = hear(start(), 1, failed('ask'));
  assert.deepEqual(writeVerdict(write), { type: 'ask', members: [2, 3] });
  write = hear(write, 2, failed('ask', 'refused'));
  assert.deepEqual(writeVerdict(write), {
    type: 'failed',
    outcome: 'unwritten',
    answers: [
      { member: 1, said: 'unreachable TEST' },
      { member: 2, said: 'refused TEST' },
      { member: 3, said: 'silent' },
    ],
  });
});

test('a write is sent to all and acknowledged at W durable', () => {
  let write = stampedAt(10);
  assert.deepEqual(writeVerdict(write), { type: 'store', version: at(10), members: [1, 2, 3] });
  write = hear(write, 3, held(10));
  assert.deepEqual(writeVerdict(write), { type: 'store', version: at(10), members: [1, 2] });
  write = hear(write, 3, held(10));
  assert.equal(writeVerdict(write).type, 'store', 'one member counts once');
  write = hear(write, 1, held(10));
  assert.deepEqual(writeVerdict(write), { type: 'acknowledged', version: at(10), missing: [2] });
});

test('a replica that durably holds something newer counts, an older one does not', () => {
  const write = hear(stampedAt(10), 1, held(10));
  assert.equal(writeVerdict(hear(write, 2, held(11))).type, 'acknowledged');
  assert.equal(writeVerdict(hear(write, 2, held(9))).type, 'store');
});

test('a write that misses W is unknown where any replica may have it, and says who answered what', () => {
  const write = all(stampedAt(10), [1, held(10)], [2, failed('store', 'refused')]);
  assert.equal(writeVerdict(write).type, 'store');
  assert.deepEqual(writeVerdict(hear(write, 3, failed('store'))), {
    type: 'failed',
    outcome: 'unknown',
    answers: [
      { member: 1, said: 'held' },
      { member: 2, said: 'refused TEST' },
      { member: 3, said: 'unreachable TEST' },
    ],
  });
});

test('a stamped write is unwritten only where every replica refused it', () => {
  const refused = all(stampedAt(10), [1, failed('store', 'refused')], [2, failed('store', 'refused')]);
  assert.equal(writeReport(refused).outcome, 'unknown', 'the third may hold it');
  assert.equal(writeReport(hear(refused, 3, failed('store', 'refused'))).outcome, 'unwritten');
  assert.equal(writeReport(hear(refused, 3, failed('store'))).outcome, 'unknown');
});

test('who held it keeps it, whatever failure comes later', () => {
  const write = all(stampedAt(10), [1, held(10)], [1, failed('store')], [2, failed('store')], [2, held(10)]);
  assert.equal(writeVerdict(write).type, 'acknowledged');
});

test('levels: w of 1 and all', () => {
  assert.equal(writeVerdict(hear(stampedAt(10, STILL, 1), 2, held(10))).type, 'acknowledged');
  const write = all(stampedAt(10, STILL, 'all'), [1, held(10)], [2, held(10)]);
  assert.equal(writeVerdict(write).type, 'store');
  assert.equal(writeVerdict(hear(write, 3, failed('store'))).type, 'failed');
});

test('answers of another attempt, epoch or member never count', () => {
  const asking = hear(start(), 1, knows({}));
  const storing = hear(stampedAt(10), 1, held(10));
  for (const [attempt, epoch] of [
    [0, 1],
    [2, 1],
    [1, 0],
  ] as const) {
    assert.deepEqual(hear(asking, 2, knows({}), attempt, toEpoch(epoch)), asking);
    assert.deepEqual(hear(storing, 2, held(10), attempt, toEpoch(epoch)), storing);
  }
  assert.deepEqual(hear(storing, 9, held(10)), storing);
});

test('a newer epoch restarts the count; the stamp stays', () => {
  let write = hear(stampedAt(10), 1, held(10));
  write = hear(write, 2, held(10), 1, E2);
  assert.deepEqual(writeVerdict(write), { type: 'restart', epoch: 2 });
  assert.throws(() => restartWrite(write, write.view), /epoch 2 is known/);
  write = restartWrite(write, { epoch: E2, sets: { type: 'still', set: [1, 2, 4] } });
  assert.deepEqual(writeVerdict(write), { type: 'store', version: at(10), members: [1, 2, 4] });
  assert.deepEqual(hear(write, 2, held(10), 1), write, 'an answer to the first attempt');
  write = hear(write, 2, held(10));
  assert.equal(writeVerdict(write).type, 'store', 'what 1 said under the old epoch is not added');
  assert.equal(writeVerdict(hear(write, 4, held(10))).type, 'acknowledged');
  assert.deepEqual(writeVerdict(learnWriteEpoch(start(), E2)), { type: 'restart', epoch: 2 });
});

test('a write that restarts before its stamp asks again', () => {
  const write = learnWriteEpoch(hear(start(), 1, knows({})), E2);
  const again = restartWrite(write, { epoch: E2, sets: STILL });
  assert.deepEqual(writeVerdict(again), { type: 'ask', members: [1, 2] });
  assert.equal(again.attempt, 2);
});

test('D9: what an earlier attempt may have left makes the outcome unknown, though all refuse the next', () => {
  const refuse = (write: Write) =>
    all(write, ...[1, 2, 3].map((member) => [member, failed('store', 'refused')] as const));
  const sent = learnWriteEpoch(stampedAt(10), E2);
  const again = refuse(restartWrite(sent, { epoch: E2, sets: STILL }));
  assert.equal(writeReport(again).outcome, 'unknown');
});

test('C1: a write that is tried again under its stamp asks nothing, is not stamped again, and stays unknown', () => {
  const again = resumeWrite({ epoch: E1, sets: STILL }, DEFAULT_LEVELS, at(10));
  assert.deepEqual(writeVerdict(again), { type: 'store', version: at(10), members: [1, 2, 3] });
  assert.throws(() => stamped(again, at(11)), /stamped once/);
  const refused = all(again, ...[1, 2, 3].map((member) => [member, failed('store', 'refused')] as const));
  assert.equal(writeReport(refused).outcome, 'unknown', 'the first try may have left it');
  assert.equal(writeVerdict(all(again, [1, held(10)], [2, held(12)])).type, 'acknowledged');
});

test('a write that every fence refused reached nobody', () => {
  const refused = failed('store', 'refused');
  let write = stampedAt(10);
  for (const member of [1, 2, 3]) write = hear(write, member, refused, 1, E2);
  const again = restartWrite(write, { epoch: E2, sets: STILL });
  assert.equal(again.mayBeHeld, false);
});

const moving = (type: 'joint' | 'transfer' | 'switch'): ReplicaSets => ({
  type,
  from: [1, 2, 3],
  to: [4, 5, 6],
});

test('joint: asks F, writes both, acknowledged by W of F', () => {
  assert.deepEqual(writeVerdict(start(moving('joint'))), { type: 'ask', members: [1, 2] });
  let write = stampedAt(10, moving('joint'));
  assert.deepEqual(writeVerdict(write), { type: 'store', version: at(10), members: [1, 2, 3, 4, 5, 6] });
  write = all(write, [4, held(10)], [5, held(10)], [6, held(10)], [1, held(10)]);
  assert.equal(writeVerdict(write).type, 'store');
  assert.deepEqual(writeVerdict(hear(write, 2, held(10))), {
    type: 'acknowledged',
    version: at(10),
    missing: [3],
  });
});

for (const [stage, asked] of [
  ['transfer', [1, 2]],
  ['switch', [4, 5]],
] as const) {
  test(`${stage}: asks ${asked}, writes both, acknowledged by W of each`, () => {
    assert.deepEqual(writeVerdict(start(moving(stage))), { type: 'ask', members: asked });
    const three = all(stampedAt(10, moving(stage)), [1, held(10)], [2, held(10)], [4, held(10)]);
    assert.equal(writeVerdict(hear(three, 3, held(10))).type, 'store');
    assert.equal(writeVerdict(hear(three, 5, held(10))).type, 'acknowledged');
    assert.equal(writeVerdict(all(three, [5, failed('store')], [6, failed('store')])).type, 'failed');
  });
}

test('the sets of a move are judged each by its own size, and a member of both counts in both', () => {
  const write = hear(stampedAt(10, { type: 'transfer', from: [1], to: [1, 2, 3] }), 1, held(10));
  assert.equal(writeVerdict(write).type, 'store');
  assert.equal(writeVerdict(hear(write, 3, held(10))).type, 'acknowledged');
});

test('only a refusal of the store under a newer epoch proves that a member did nothing', () => {
  const write = stampedAt(10);
  assert.equal(hear(write, 1, failed('store', 'refused'), 1, E2).stored.size, 1);
  assert.equal(hear(write, 1, failed('store', 'unreachable'), 1, E2).stored.size, 0);
  assert.equal(hear(write, 1, failed('store', 'refused'), 1, toEpoch(0)).stored.size, 0);
  const asked = hear(write, 1, failed('ask', 'refused'), 1, E2);
  assert.equal(asked.asked.get(1)?.type, 'versions');
  assert.equal(hear(start(), 1, failed('ask', 'refused'), 1, E2).asked.size, 0);
});

test('an older answer that comes late takes nothing back', () => {
  const write = all(stampedAt(10), [1, held(11)], [1, held(9)], [2, held(10)]);
  assert.equal(writeVerdict(write).type, 'acknowledged');
});

test('the report of a question names the members of the set that was asked', () => {
  const { answers } = writeReport(start(moving('joint')));
  assert.deepEqual(
    answers.map(({ member }) => member),
    [1, 2, 3],
  );
});

test('a write counts as a plain loop over the sets does, whatever the sets and the answers', () => {
  const member = fc.integer({ min: 1, max: 7 });
  const set = fc.uniqueArray(member, { minLength: 1, maxLength: 5 });
  const type = fc.constantFrom('joint' as const, 'transfer' as const, 'switch' as const);
  const sets: fc.Arbitrary<ReplicaSets> = fc.oneof(
    set.map((one): ReplicaSets => ({ type: 'still', set: one })),
    fc.record({ type, from: set, to: set }),
  );
  const heard = fc.array(fc.tuple(member, fc.constantFrom(9, 10, 11)), { maxLength: 9 });
  fc.assert(
    fc.property(sets, heard, (where, answers) => {
      const write = all(stampedAt(10, where), ...answers.map(([from, ms]) => [from, held(ms)] as const));
      const holders = (of: readonly MemberId[]) =>
        of.filter((one) => answers.some(([from, ms]) => from === one && ms >= 10));
      const isMet = (of: readonly MemberId[]) => 2 * holders(of).length > of.length;
      const isDone =
        where.type === 'still'
          ? isMet(where.set)
          : isMet(where.from) && (where.type === 'joint' || isMet(where.to));
      assert.equal(writeVerdict(write).type === 'acknowledged', isDone);
    }),
    { numRuns: 300 },
  );
});
