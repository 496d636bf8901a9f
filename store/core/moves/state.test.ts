import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from '../topology/apply.ts';
import { decodeCommand, decodeState, encodeCommand, encodeState } from '../topology/codec.ts';
import type { MoveCommand, TopologyCommand } from '../topology/command.ts';
import { findViolation } from '../topology/invariants.ts';
import { recoverTopology } from '../topology/recover.ts';
import { type Move, type TopologyState, toEpoch, toMoveSession } from '../topology/types.ts';
import { nextStep } from './next-step.ts';
import { commandOf, dueOf, moveAt, partitionAt, topologyOf } from './test-moves.ts';

/** Moves as a part of the state: their bytes, what a state may not hold, and what the other commands make of them. */

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const still = topologyOf({ members: 5, set: [1, 2, 3], partitions: 2 });
const start: MoveCommand = {
  ...{
    type: 'move-start',
    replicationFactor: 3,
    moves: [{ partition: 0, epoch: toEpoch(1), to: [1, 2, 4] }],
  },
};
const joint = applyCommand(still, start).state;

/** As far as that stage, and to the last confirmation that it takes. */
function full(stage: Move['stage']): TopologyState {
  let state = joint;
  for (;;) {
    const facts = { isUp: () => true, isReplaced: () => false, nameOf: String };
    const step = nextStep(0, partitionAt(state), facts);
    const isLast =
      partitionAt(state).move?.stage === stage && step?.type !== 'wait' && step?.type !== 'sources';
    const command = step && (commandOf(step) ?? dueOf(state, 0, facts.isUp));
    if (isLast || command === undefined) return state;
    state = applyCommand(state, command).state;
  }
}

test('the bytes of moves are these; without one they are those of format 1', () => {
  const moves = '{"partition":0,"epoch":1,"to":[1,2,4]}';
  assert.equal(
    textOf(encodeCommand(start)),
    `{"format":2,"command":{"type":"move-start","replicationFactor":3,"moves":[${moves}]}}`,
  );
  const partition = (state: TopologyState) =>
    /"partitions":\[(.*?)\]}}$/.exec(textOf(encodeState(state)))?.[1];
  assert.deepEqual([still, joint, full('transfer'), full('switch')].map(partition), [
    '{"epoch":1,"replicas":[1,2,3]},{"epoch":1,"replicas":[1,2,3]}',
    '{"epoch":2,"replicas":[1,2,3],"move":{"stage":"joint","session":2,"to":[1,2,4],"entered":[]}},{"epoch":1,"replicas":[1,2,3]}',
    '{"epoch":4,"replicas":[1,2,3],"move":{"stage":"transfer","session":2,"to":[1,2,4],"confirmed":[1,2,3],"sources":[1,2],' +
      '"synced":[{"member":1,"sources":[2]},{"member":2,"sources":[1]},{"member":4,"sources":[1,2]}]}},{"epoch":1,"replicas":[1,2,3]}',
    '{"epoch":13,"replicas":[1,2,3],"move":{"stage":"switch","session":2,"to":[1,2,4],"confirmed":[1,2]}},{"epoch":1,"replicas":[1,2,3]}',
  ]);
  assert.match(textOf(encodeState(still)), /^\{"format":1,/);
  assert.match(textOf(encodeState(joint)), /^\{"format":2,/);
});

test('a snapshot of before moves is read; moves in bytes that call themselves format 1 are damage', () => {
  const old = textOf(encodeState(still));
  assert.deepEqual(decodeState(bytesOf(old)), still);
  assert.ok(!('move' in partitionAt(decodeState(bytesOf(old)))));
  assert.deepEqual(decodeState(bytesOf(old.replace('"format":1', '"format":2'))), still);
  const relabelled = (bytes: Uint8Array) => bytesOf(textOf(bytes).replace('"format":2', '"format":1'));
  assert.throws(
    () => decodeState(relabelled(encodeState(joint))),
    /of format 1, and has what only format 2 knows/,
  );
  assert.throws(() => decodeCommand(relabelled(encodeCommand(start))), /only format 2/);
});

test('a state with a move that no steps lead to is neither written nor read', () => {
  const bad = (base: TopologyState, change: object, violation: RegExp) => {
    const { move, ...partition } = partitionAt(base);
    const partitions = [{ ...partition, move: { ...move, ...change } as Move }, partitionAt(base, 1)];
    assert.match(findViolation({ ...base, partitions }) ?? 'none', violation);
    assert.throws(() => encodeState({ ...base, partitions }));
  };
  bad(joint, { to: [] }, /a set of the wrong size/);
  bad(joint, { to: [4, 4] }, /names a member twice/);
  bad(joint, { to: [9] }, /9 never was a member/);
  bad(joint, { session: toMoveSession(1) }, /stage joint of session 1, and at epoch 2/);
  bad(joint, { entered: [1] }, /has as entered \[1\]; allowed are \[4\]/);
  const transfer = full('transfer');
  bad(transfer, { session: partitionAt(transfer).epoch }, /stage transfer of session 4, and at epoch 4/);
  bad(transfer, { confirmed: [1, 2, 4] }, /has as confirmed/);
  bad(transfer, { confirmed: [2, 1, 3] }, /not sorted/);
  bad(transfer, { sources: [1] }, /has 1 sources/);
  bad(transfer, { confirmed: [1, 3], sources: [1, 2] }, /has as sources \[1, 2\]/);
  bad(transfer, { synced: [{ member: 3, sources: [1] }] }, /has as synced \[3\]/);
  bad(transfer, { synced: [{ member: 4, sources: [] }] }, /nobody else/);
  bad(transfer, { synced: [{ member: 4, sources: [5] }] }, /synced of 4 \[5\]/);
  bad(full('switch'), { confirmed: [4] }, /has as confirmed/);
});

test('a member that a partition moves to owns data: it is not removed', () => {
  const remove = (state: TopologyState, member: number) =>
    applyCommand(state, { type: 'remove-member', member });
  assert.equal(remove(still, 4).type, 'applied');
  const refused = remove(joint, 4);
  assert.equal(refused.type === 'refused' && refused.refusal.code, 'MEMBER_OWNS_DATA');
  const cancelled = applyCommand(joint, { type: 'move-cancel', moves: [moveAt(joint)] }).state;
  assert.equal(remove(cancelled, 4).type, 'applied');
});

test('a member that was replaced before its move counted on it: the move does not go on, and is cancelled', () => {
  const entered = applyCommand(joint, { type: 'move-enter', member: 4, moves: [moveAt(joint)] }).state;
  const rejoin: TopologyCommand = {
    ...{ type: 'join', name: 'kvorum-4', directoryId: 'wiped', weight: 100, replaces: 4 },
    ...{ peerAddress: 'h:1', httpAddress: 'h:2', zone: '', version: '0.1.0' },
  };
  const wiped = applyCommand(entered, rejoin).state;
  assert.deepEqual(decodeState(encodeState(wiped)), wiped);
  const advanced = applyCommand(wiped, { type: 'move-advance', moves: [moveAt(wiped)] });
  assert.match(
    advanced.type === 'refused' ? advanced.refusal.message : '',
    /moves to 4, which is no member any more. Cancel it/,
  );
  const cancelled = applyCommand(wiped, { type: 'move-cancel', moves: [moveAt(wiped)] });
  assert.equal(cancelled.type, 'applied');
  const later = applyCommand(full('transfer'), { ...rejoin, name: 'kvorum-1', replaces: 1 });
  assert.equal(later.type, 'applied', '2 of 3 are left of F, and of T');
  const second = applyCommand(later.state, { ...rejoin, directoryId: 'another' });
  assert.equal(second.type, 'applied', 'F has it all, and the move can be cancelled');
  const turned = applyCommand(second.state, { type: 'move-switch', moves: [moveAt(second.state)] });
  assert.match(turned.type === 'refused' ? turned.refusal.message : '', /which is no member any more/);
  const switched = applyCommand(full('switch'), { ...rejoin, name: 'kvorum-1', replaces: 1 });
  const third = applyCommand(switched.state, { ...rejoin, directoryId: 'another' });
  assert.equal(third.type === 'refused' && third.refusal.code, 'MEMBER_OWNS_DATA', 'T is asked from here on');
});

test('each partition of a batch stands for itself, and the answer says how many changed', () => {
  const both = [0, 1].map((partition) => ({ partition, epoch: toEpoch(1), to: [1, 2, 4] }));
  const second = applyCommand(joint, { type: 'move-start', replicationFactor: 3, moves: both });
  assert.deepEqual([second.type, second.type !== 'refused' && second.subject], ['applied', 1]);
  assert.equal(partitionAt(second.state), partitionAt(joint), 'the one that moves already is left as it is');
  const again = applyCommand(second.state, { type: 'move-start', replicationFactor: 3, moves: both });
  assert.ok(again.type === 'refused' && again.refusal.code === 'EPOCH_CHANGED');
});

test('an entering member must have started; a size that is not the one asked for is refused', () => {
  const asleep = new Map(still.members).set(4, {
    ...(still.members.get(4) ?? assert.fail()),
    ...{ state: 'waiting', incarnation: 0, life: '' },
  });
  const early = applyCommand({ ...still, members: asleep }, start);
  assert.match(early.type === 'refused' ? early.refusal.message : '', /member 4, which has not started yet/);
  const small = applyCommand(still, { ...start, replicationFactor: 4 });
  assert.match(small.type === 'refused' ? small.refusal.message : '', /has 3 members; 4 are asked for/);
});

test('recovery ends moves; a survivor that only began to copy has no whole copy', () => {
  const recover = (state: TopologyState, survivor: number) =>
    recoverTopology(state, { clusterId: 'cd'.repeat(16), survivor });
  assert.deepEqual(recover(joint, 4).lost.partitions, [0, 1]);
  assert.deepEqual(recover(joint, 3).lost.partitionsBehind, [0, 1]);
  assert.deepEqual(recover(full('switch'), 4).lost.partitionsBehind, [0]);
  const { state } = recover(full('switch'), 4);
  assert.equal(findViolation(state), undefined);
  assert.ok(state.partitions.every((partition) => !('move' in partition)));
});
