import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyCommand } from '../topology/apply.ts';
import { decodeCommand, decodeState, encodeCommand, encodeState } from '../topology/codec.ts';
import type { MoveCommand } from '../topology/command.ts';
import { findViolation } from '../topology/invariants.ts';
import { type TopologyState, toEpoch, toMoveSession } from '../topology/types.ts';
import { type DumbPartition, dumbMoves, partitionOf } from './dumb-moves.ts';
import { nextStep } from './next-step.ts';
import { commandOf, dueOf, partitionAt, topologyOf } from './test-moves.ts';

/** Steps in any order, twice, late, of the wrong member, beside the second implementation of dumb-moves.ts. */

const MEMBERS = 5;
const ROUNDS_MAX = 10;
const member = fc.integer({ min: 1, max: MEMBERS });
const set = fc.uniqueArray(member, { minLength: 1, maxLength: 4 });
type Draft = (state: TopologyState) => MoveCommand;

/** Mostly what the state has, or hardly a step would fit; now and then of an epoch, or session, that is gone. */
const stale = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1);
const partitions = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom([0], [1], [0, 1]) },
  { weight: 1, arbitrary: fc.constantFrom([], [0, 0], [2]) },
);
const places = fc.record({ partitions, epochBehind: stale, sessionBehind: stale });
type Places = { partitions: readonly number[]; epochBehind: number; sessionBehind: number };

function placesIn(state: TopologyState, { partitions: numbers, epochBehind, sessionBehind }: Places) {
  return numbers.map((partition) => {
    const known = state.partitions[partition];
    const session = toMoveSession((known?.move?.session ?? 1) + sessionBehind);
    return { partition, session, epoch: toEpoch((known?.epoch ?? 1) - epochBehind) };
  });
}

/** Some of those that could be sources, else anybody. */
function sourcesOf(state: TopologyState, partition: number, picks: readonly number[]): readonly number[] {
  const move = state.partitions[partition]?.move;
  const likely = move?.stage === 'transfer' ? (move.sources.length > 0 ? move.sources : move.confirmed) : [];
  return likely.length > 0 && !picks.includes(5) ? likely : picks;
}

const oneStep = <T extends 'move-advance' | 'move-switch' | 'move-done' | 'move-cancel'>(type: T) =>
  places.map(
    (p): Draft =>
      (state) => ({ type, moves: placesIn(state, p) }),
  );
const ofMember = <T extends 'move-enter' | 'move-confirm'>(type: T) =>
  fc.tuple(places, member).map(
    ([p, who]): Draft =>
      (state) => ({ type, member: who, moves: placesIn(state, p) }),
  );
const withSources = (state: TopologyState, p: Places, picks: readonly number[]) =>
  placesIn(state, p).map((place) => ({ ...place, sources: sourcesOf(state, place.partition, picks) }));

/** What the coordinator, or else a member, would do: by chance alone hardly a move would come to its end. */
function helpful(partition: number): Draft {
  const facts = {
    isUp: () => true,
    isReplaced: () => false,
    nameOf: (number: number) => `kvorum-${number}`,
  };
  return (state) => {
    const step = nextStep(partition, partitionAt(state, partition), facts);
    const due = step && (commandOf(step) ?? dueOf(state, partition, facts.isUp));
    return due ?? { type: 'move-advance', moves: [] };
  };
}

const drafts: fc.Arbitrary<Draft> = fc.oneof(
  fc.tuple(places, set, fc.constantFrom(0, 0, 0, 0, 1)).map(
    ([p, to, more]): Draft =>
      (state) => {
        const moves = placesIn(state, p).map(({ partition, epoch }) => ({ partition, epoch, to }));
        return { type: 'move-start', replicationFactor: to.length + more, moves };
      },
  ),
  { weight: 4, arbitrary: ofMember('move-enter') },
  { weight: 2, arbitrary: oneStep('move-advance') },
  { weight: 6, arbitrary: ofMember('move-confirm') },
  {
    weight: 2,
    arbitrary: fc.tuple(places, set).map(
      ([p, picks]): Draft =>
        (state) => ({ type: 'move-sources', moves: withSources(state, p, picks) }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(places, member, set).map(
      ([p, who, picks]): Draft =>
        (state) => ({ type: 'move-synced', member: who, moves: withSources(state, p, picks) }),
    ),
  },
  { weight: 16, arbitrary: fc.constantFrom(0, 1).map(helpful) },
  { weight: 2, arbitrary: oneStep('move-switch') },
  { weight: 2, arbitrary: oneStep('move-done') },
  { weight: 1, arbitrary: oneStep('move-cancel') },
);

/** What must hold of each step, whatever it was. */
function checkStep(before: TopologyState, command: MoveCommand): ReturnType<typeof applyCommand> {
  const outcome = applyCommand(before, command);
  const { state } = outcome;
  assert.equal(findViolation(state), undefined);
  assert.deepEqual(decodeCommand(encodeCommand(command)), command);
  assert.deepEqual(decodeState(encodeState(state)), state);
  assert.notEqual(applyCommand(state, command).type, 'applied', 'twice is once');
  if (outcome.type === 'applied') assert.equal(state.epoch, before.epoch + 1);
  else assert.equal(state, before);
  for (const [number, partition] of before.partitions.entries()) {
    const after = partitionAt(state, number);
    const isSameStage =
      after.move?.stage === partition.move?.stage && after.replicas.join() === partition.replicas.join();
    const isNewEpoch = after.epoch === state.epoch && state !== before;
    if (after === partition) continue;
    assert.equal(
      after.epoch === partition.epoch,
      isSameStage,
      'a stage has an epoch, a confirmation has none',
    );
    assert.ok(isSameStage || isNewEpoch);
  }
  return outcome;
}

test('random steps do what a dumb second implementation does, and break no invariant', () => {
  const verdicts = new Set<string>();
  const property = fc.property(fc.array(drafts, { maxLength: 70, size: 'max' }), (makers) => {
    let state = topologyOf({ members: MEMBERS, set: [1, 2, 3], partitions: 2 });
    const dumb: DumbPartition[] = state.partitions.map(() => ({ replicas: [1, 2, 3], epoch: 1 }));
    for (const make of makers) {
      const command = make(state);
      const world = { epoch: state.epoch, partitions: dumb, isMember: () => true, mayEnter: () => true };
      const expected = dumbMoves(world, command);
      const outcome = checkStep(state, command);
      const got = outcome.type === 'refused' ? outcome.refusal.code : `${outcome.type} ${outcome.subject}`;
      assert.equal(got, expected, JSON.stringify(command));
      state = outcome.state;
      assert.deepEqual(state.partitions, dumb.map(partitionOf));
      verdicts.add(`${command.type} ${got.replace(/ \d+$/, '')}`);
    }
  });
  const missing = (): readonly string[] => EXPECTED.filter((verdict) => !verdicts.has(verdict));
  // The rarest outcome comes up in most rounds, and not in all.
  for (let round = 0; round < ROUNDS_MAX && (round === 0 || missing().length > 0); round++)
    fc.assert(property, { numRuns: 1500 });
  assert.deepEqual(missing(), [], 'every outcome came up');
});

const STEPS = ['enter', 'confirm', 'sources', 'synced'].map((step) => `move-${step}`);
const CHANGES = ['start', 'advance', 'switch', 'done', 'cancel'].map((step) => `move-${step}`);
const EXPECTED = [
  ...[...STEPS, ...CHANGES].flatMap((step) => [
    `${step} applied`,
    `${step} EPOCH_CHANGED`,
    `${step} BAD_MOVE`,
  ]),
  ...STEPS.map((step) => `${step} unchanged`),
  ...['enter', 'advance', 'sources', 'synced', 'switch', 'done'].map((step) => `move-${step} MOVE_NOT_READY`),
  ...['move-start BAD_PLACEMENT', 'move-start PARTITION_MOVING', 'move-start unchanged'],
  'move-cancel MOVE_SWITCHED',
];
