import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from '../topology/apply.ts';
import type { MoveCommand } from '../topology/command.ts';
import { type TopologyState, toEpoch, toMoveSession } from '../topology/types.ts';
import { mayConfirm, mustEnter } from './duties.ts';
import { type MoveFacts, type NextStep, nextStep } from './next-step.ts';
import { commandOf, dueOf, moveAt, partitionAt, topologyOf } from './test-moves.ts';

/** What the coordinator does with a move, step by step, as text; what members owe is what `dutiesOf` says. */

type Trouble = { down?: readonly number[]; gone?: readonly number[] };
const factsOf = ({ down = [], gone = [] }: Trouble = {}): MoveFacts => ({
  isUp: (member) => !down.includes(member) && !gone.includes(member),
  isReplaced: (member) => gone.includes(member),
  nameOf: (member) => `kvorum-${member}`,
});

const next = (state: TopologyState, trouble: Trouble = {}) =>
  nextStep(0, partitionAt(state), factsOf(trouble));
function done(state: TopologyState, command: MoveCommand): TopologyState {
  const outcome = applyCommand(state, command);
  assert.equal(outcome.type, 'applied', JSON.stringify(outcome));
  return outcome.state;
}
const start = (from: readonly number[], to: readonly number[]): TopologyState => {
  const state = topologyOf({ members: 6, set: from });
  const moves = [{ partition: 0, epoch: toEpoch(1), to }];
  return done(state, { type: 'move-start', replicationFactor: to.length, moves });
};

/** The coordinator first, then the members, until nobody can do anything. */
function run(state: TopologyState, trouble: Trouble = {}): { log: readonly string[]; state: TopologyState } {
  const log: string[] = [];
  const { isUp } = factsOf(trouble);
  let now = state;
  for (;;) {
    const step = next(now, trouble);
    const command = step === undefined ? undefined : (commandOf(step) ?? dueOf(now, 0, isUp));
    if (step?.type === 'wait') log.push(step.blockedBy);
    if (step?.type === 'cancel') log.push(step.reason);
    if (command === undefined) return { log, state: now };
    now = done(now, command);
    log.push(shown(command));
  }
}

function shown(command: MoveCommand): string {
  const who = 'member' in command ? ` by ${command.member}` : '';
  const [first] = command.moves;
  const sources = first !== undefined && 'sources' in first ? ` [${first.sources.join(', ')}]` : '';
  return `-> ${command.type}${who}${sources}`;
}

test('a move of one replica goes through its stages; each wait names who is waited for', () => {
  const { log, state } = run(start([1, 2, 3], [1, 2, 4]));
  assert.deepEqual(log, [
    'waiting for kvorum-4 to enter',
    '-> move-enter by 4',
    '-> move-advance',
    'waiting for kvorum-1, kvorum-2, kvorum-3 to confirm (0 of 2 have, any of the set may)',
    '-> move-confirm by 1',
    'waiting for kvorum-2, kvorum-3 to confirm (1 of 2 have, any of the set may)',
    '-> move-confirm by 2',
    '-> move-sources [1, 2]',
    'waiting for kvorum-2, kvorum-4, kvorum-1 to synchronise with kvorum-1 and kvorum-2',
    '-> move-synced by 1 [2]',
    'waiting for kvorum-2, kvorum-4 to synchronise with kvorum-1 and kvorum-2',
    '-> move-synced by 2 [1]',
    'waiting for kvorum-4 to synchronise with kvorum-1 and kvorum-2',
    '-> move-confirm by 3',
    'waiting for kvorum-4 to synchronise with kvorum-1 and kvorum-2',
    '-> move-synced by 4 [1]',
    'waiting for kvorum-4 to synchronise with kvorum-1 and kvorum-2',
    '-> move-synced by 4 [2]',
    '-> move-switch',
    'waiting for kvorum-1, kvorum-2, kvorum-3 to confirm (0 of 2 have, any of the set may)',
    '-> move-confirm by 1',
    'waiting for kvorum-2, kvorum-3 to confirm (1 of 2 have, any of the set may)',
    '-> move-confirm by 2',
    '-> move-done',
  ]);
  assert.deepEqual(partitionAt(state), { replicas: [1, 2, 4], epoch: state.partitions[0]?.epoch });
});

test('moves between sets of any sizes, also of nothing in common, end at T', () => {
  const sets = [[1], [1, 2], [1, 2, 3], [4, 5], [3, 4, 5, 6], [2, 1, 3], [6]];
  for (const from of sets)
    for (const to of sets.filter((one) => one.join() !== from.join())) {
      const { state } = run(start(from, to));
      assert.deepEqual([partitionAt(state).replicas, partitionAt(state).move], [to, undefined]);
    }
});

test('a dead member of F holds nothing up; two of three do, and are named', () => {
  const replaced = run(start([1, 2, 3], [1, 2, 4]), { gone: [3] });
  assert.deepEqual(partitionAt(replaced.state).replicas, [1, 2, 4]);
  const stuck = run(start([1, 2, 3], [4, 5, 6]), { gone: [2, 3] });
  assert.equal(
    stuck.log.at(-1),
    'waiting for kvorum-2 (down), kvorum-3 (down) to confirm (1 of 2 have, any of the set may)',
  );
});

test('a member of T that is gone cancels the move, until reads have switched', () => {
  const joint = run(start([1, 2, 3], [1, 2, 4]), { gone: [4] });
  assert.deepEqual(joint.log, ['kvorum-4, to which it moves, is gone', '-> move-cancel']);
  assert.deepEqual(partitionAt(joint.state).replicas, [1, 2, 3]);
  const switched = until('switch');
  assert.equal(next(switched, { gone: [4] })?.type, 'wait');
  assert.deepEqual(
    partitionAt(run(switched, { gone: [4] }).state).replicas,
    [1, 2, 4],
    'there is no way back',
  );
});

test('a stage that needs quorums of T is not entered while one of it is down', () => {
  const joint = start([1, 2, 3], [1, 2, 4]);
  const entered = done(joint, { type: 'move-enter', member: 4, moves: [moveAt(joint)] });
  assert.deepEqual(next(entered, { down: [2] }), {
    type: 'wait',
    blockedBy: 'waiting for kvorum-2 (down) to come back',
    members: [2],
  });
});

test('a source that goes down is exchanged for one that confirmed; what was synchronised is kept', () => {
  const state = until('transfer', (now) => {
    const { move } = partitionAt(now);
    return move?.stage === 'transfer' && move.confirmed.length === 3 && move.synced.length === 2;
  });
  const step = next(state, { down: [2] });
  assert.deepEqual(step, { type: 'sources', at: moveAt(state), sources: [1, 3] });
  const fixed = done(state, commandOf(step as NextStep) as MoveCommand);
  assert.deepEqual(partitionAt(fixed).move?.stage === 'transfer' && partitionAt(fixed).move, {
    ...partitionAt(state).move,
    sources: [1, 3],
  });
  const waiting = run(fixed, { down: [2] });
  assert.match(
    waiting.log.at(-1) ?? '',
    /^waiting for kvorum-2 \(down\) to synchronise/,
    '2 is of T as well',
  );
  assert.deepEqual(partitionAt(run(waiting.state).state).replicas, [1, 2, 4]);
});

test('a member confirms once its epoch is durable and nothing older is open, and enters once in a session', () => {
  const joint = partitionAt(start([1, 2, 3], [1, 2, 4]));
  const transfer = partitionAt(until('transfer'));
  const durableEpoch = transfer.epoch;
  assert.ok(mayConfirm(transfer, { durableEpoch, olderWritesOpen: 0 }));
  assert.ok(!mayConfirm(transfer, { durableEpoch, olderWritesOpen: 1 }));
  assert.ok(!mayConfirm(transfer, { durableEpoch: toEpoch(durableEpoch - 1), olderWritesOpen: 0 }));
  assert.ok(!mayConfirm(joint, { durableEpoch: joint.epoch, olderWritesOpen: 0 }));
  const session = joint.move?.session;
  assert.ok(mustEnter(joint, 4, undefined));
  assert.ok(mustEnter(joint, 4, toMoveSession(1)), 'an older session does not count');
  assert.ok(!mustEnter(joint, 4, session), 'twice would lose what it took since');
  assert.ok(!mustEnter(joint, 1, undefined) && !mustEnter(transfer, 4, undefined));
});

/** A move of [1, 2, 3] to [1, 2, 4], as far as that stage and no farther than `isEnough`. */
function until(stage: string, isEnough: (state: TopologyState) => boolean = () => true): TopologyState {
  let state = start([1, 2, 3], [1, 2, 4]);
  for (;;) {
    if (partitionAt(state).move?.stage === stage && isEnough(state)) return state;
    const step = next(state);
    const command = step && (commandOf(step) ?? dueOf(state, 0, () => true));
    assert.ok(command !== undefined, `there is no stage ${stage}`);
    state = done(state, command);
  }
}
