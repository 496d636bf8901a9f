import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedSet, holdingSets } from '../quorum/replica-sets.ts';
import { applyCommand } from '../topology/apply.ts';
import type { MoveCommand } from '../topology/command.ts';
import type { TopologyState } from '../topology/types.ts';
import { meetsEveryQuorum, subsetsOf } from './dumb-moves.ts';
import { enteringOf, replicaSetsOf } from './rules.ts';
import { moveAt, partitionAt, topologyOf } from './test-moves.ts';

/**
 * Every F and T of 1 to 5 members, with every overlap, through the commands themselves: which sets are taken for Q and as
 * confirmations is tried for all subsets, and judged by trying all quorums.
 */
type Sets = { readonly from: readonly number[]; readonly to: readonly number[] };

function everyPair(): readonly Sets[] {
  const sizes = [1, 2, 3, 4, 5];
  return sizes.flatMap((f) =>
    sizes.flatMap((t) =>
      Array.from({ length: Math.min(f, t) + 1 }, (_, shared): Sets => {
        const from = Array.from({ length: f }, (_, index) => index + 1);
        const entering = Array.from({ length: t - shared }, (_, index) => f + index + 1);
        return { from, to: [...from.slice(f - shared), ...entering] };
      }).filter(({ from, to }) => from.join() !== to.join()),
    ),
  );
}

const apply = (state: TopologyState, command: MoveCommand) => applyCommand(state, command);
function done(state: TopologyState, command: MoveCommand): TopologyState {
  const outcome = apply(state, command);
  assert.notEqual(outcome.type, 'refused', JSON.stringify([command, outcome]).slice(0, 500));
  return outcome.state;
}

function started({ from, to }: Sets): TopologyState {
  const state = topologyOf({ members: 10, set: from });
  const moves = [{ partition: 0, epoch: partitionAt(state).epoch, to }];
  return done(state, { type: 'move-start', replicationFactor: to.length, moves });
}

function inTransfer(sets: Sets): TopologyState {
  const joint = enteringOf(sets.from, sets.to).reduce(
    (state, member) => done(state, { type: 'move-enter', member, moves: [moveAt(state)] }),
    started(sets),
  );
  return done(joint, { type: 'move-advance', moves: [moveAt(joint)] });
}

function confirmed(state: TopologyState, members: readonly number[]): TopologyState {
  return members.reduce(
    (now, member) => done(now, { type: 'move-confirm', member, moves: [moveAt(now)] }),
    state,
  );
}

function switched(sets: Sets): TopologyState {
  const all = confirmed(inTransfer(sets), sets.from);
  const sources = sets.from;
  const fixed = done(all, { type: 'move-sources', moves: [{ ...moveAt(all), sources }] });
  const synced = sets.to.reduce(
    (state, member) => done(state, { type: 'move-synced', member, moves: [{ ...moveAt(state), sources }] }),
    fixed,
  );
  return done(synced, { type: 'move-switch', moves: [moveAt(synced)] });
}

const isQuorum = (set: readonly number[], some: readonly number[]) => some.length * 2 > set.length;
const quorumsOf = (set: readonly number[]) => subsetsOf(set).filter((some) => isQuorum(set, some));

/** Whatever was held as `before` asks, R of the set that `after` asks find it: one member at least is in both. */
function assertMeet(before: readonly (readonly number[])[], after: readonly number[], what: string): void {
  const heldIn = before.find((set) => set.join() === after.join());
  assert.ok(heldIn !== undefined, what);
  for (const held of quorumsOf(heldIn))
    for (const asked of quorumsOf(after))
      assert.ok(
        held.some((member) => asked.includes(member)),
        what,
      );
}

test('every set that is taken for Q meets every W of F, and every such set of those that confirmed is taken', () => {
  for (const sets of everyPair()) {
    const state = inTransfer(sets);
    for (const members of subsetsOf(sets.from)) {
      const ready = confirmed(state, members);
      for (const sources of subsetsOf(sets.from)) {
        const outcome = apply(ready, { type: 'move-sources', moves: [{ ...moveAt(ready), sources }] });
        const isSound =
          meetsEveryQuorum(sets.from, sources) && sources.every((source) => members.includes(source));
        assert.equal(outcome.type === 'applied', isSound, JSON.stringify({ sets, members, sources }));
      }
    }
  }
});

test('a move switches only when all of T have synchronised with all of Q', () => {
  for (const sets of everyPair()) {
    const all = confirmed(inTransfer(sets), sets.from);
    const smallest = subsetsOf(sets.from).filter(
      (some) => meetsEveryQuorum(sets.from, some) && some.length === Math.ceil(sets.from.length / 2),
    );
    const sources = smallest[0] ?? assert.fail();
    const fixed = done(all, { type: 'move-sources', moves: [{ ...moveAt(all), sources }] });
    const pairs = sets.to.flatMap((member) =>
      sources.filter((source) => source !== member).map((source) => [member, source] as const),
    );
    for (const missing of [undefined, ...pairs]) {
      const state = pairs
        .filter((pair) => pair !== missing)
        .reduce((now, [member, source]) => {
          const moves = [{ ...moveAt(now), sources: [source] }];
          return done(now, { type: 'move-synced', member, moves });
        }, fixed);
      const outcome = apply(state, { type: 'move-switch', moves: [moveAt(state)] });
      assert.equal(outcome.type === 'applied', missing === undefined, JSON.stringify({ sets, missing }));
    }
  }
});

test('a move is done only when those that confirmed meet every R of F, and then as soon as they do', () => {
  for (const sets of everyPair()) {
    const state = switched(sets);
    for (const members of subsetsOf(sets.from)) {
      const ready = confirmed(state, members);
      const outcome = apply(ready, { type: 'move-done', moves: [moveAt(ready)] });
      assert.equal(outcome.type === 'applied', meetsEveryQuorum(sets.from, members), JSON.stringify(sets));
      if (outcome.type === 'applied') assert.deepEqual(partitionAt(outcome.state).replicas, sets.to);
    }
  }
});

test('D5, D6: what a stage acknowledges is found by the readers of the next, of the one before, and after a cancel', () => {
  for (const sets of everyPair()) {
    const still = replicaSetsOf(partitionAt(topologyOf({ members: 10, set: sets.from })));
    const stages = [started(sets), inTransfer(sets), switched(sets)].map((state) =>
      replicaSetsOf(partitionAt(state)),
    );
    const finished = { type: 'still', set: sets.to } as const;
    const order = [still, ...stages, finished];
    assert.deepEqual(
      order.map(({ type }) => type),
      ['still', 'joint', 'transfer', 'switch', 'still'],
    );
    for (const [index, view] of order.entries()) {
      const shown = `${JSON.stringify(sets)} ${view.type}`;
      assertMeet(holdingSets(view), askedSet(view), `${shown}: its own readers`);
      // A reader that is one stage behind is not fenced everywhere yet: what is held is held in its set as well.
      const before = order[index - 1];
      if (before !== undefined && view.type !== 'still')
        assertMeet(holdingSets(view), askedSet(before), `${shown}: readers of the stage before`);
      // From transfer on T holds it too: switching needs no more than what Q brings.
      const after = order[index + 1];
      if (view.type === 'transfer' || view.type === 'switch')
        assertMeet(holdingSets(view), askedSet(after ?? assert.fail()), `${shown}: readers of the next`);
      if (view.type === 'joint' || view.type === 'transfer')
        assertMeet(holdingSets(view), sets.from, `${shown}: readers after a cancel`);
    }
  }
});
