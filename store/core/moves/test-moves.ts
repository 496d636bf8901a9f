import type { MoveCommand, RequestedWant, TopologyCommand } from '../topology/command.ts';
import { createTopology } from '../topology/genesis.ts';
import { initialPartitions } from '../topology/partitions.ts';
import {
  type Member,
  type MoveAt,
  type Partition,
  type TopologyState,
  toEpoch,
  toMoveSession,
} from '../topology/types.ts';
import { dutiesOf } from './duties.ts';
import type { NextStep } from './next-step.ts';

/** For tests: somebody asks for an operation. */
export const asked = (want: RequestedWant): TopologyCommand => ({
  ...{ type: 'operation-start', want, isForced: false, by: 'somebody', atMs: 1, partitions: 0 },
});

/** For tests: a topology of `members` that are up, with partitions on the given set. */
export function topologyOf(options: {
  readonly members: number;
  readonly set: readonly number[];
  readonly partitions?: number;
}): TopologyState {
  const { members, set, partitions = 1 } = options;
  const announcement = { peerAddress: 'h:1', httpAddress: 'h:2', zone: '', version: '0.1.0' };
  const state = createTopology({
    clusterId: 'ab'.repeat(16),
    settings: { partitions, replicationFactor: set.length },
    createdAtMs: 0,
    first: { ...announcement, name: 'kvorum-1', directoryId: 'd1', weight: 100, incarnation: 1, life: 'x' },
  });
  const first = state.members.get(1) as Member;
  const all = Array.from({ length: members }, (_, index): Member => {
    const number = index + 1;
    return { ...first, number, name: `kvorum-${number}`, directoryId: `d${number}` };
  });
  return {
    ...state,
    members: new Map(all.map((member) => [member.number, member])),
    nextMember: members + 1,
    partitions: initialPartitions(partitions, set, toEpoch(1)),
  };
}

export function partitionAt(state: TopologyState, number = 0): Partition {
  const partition = state.partitions[number];
  if (partition === undefined) throw new RangeError(`there is no partition ${number}`);
  return partition;
}

/** The place of the move of that partition, at its epoch. */
export function moveAt(state: TopologyState, number = 0): MoveAt {
  const { epoch, move } = partitionAt(state, number);
  return { partition: number, session: move?.session ?? toMoveSession(1), epoch };
}

/** The command of a step that can be taken. */
export function commandOf(step: NextStep): MoveCommand | undefined {
  switch (step.type) {
    case 'advance':
    case 'switch':
    case 'done':
    case 'cancel':
      return { type: `move-${step.type}`, moves: [step.at] };
    case 'sources':
      return { type: 'move-sources', moves: [{ ...step.at, sources: step.sources }] };
    case 'wait':
      return undefined;
  }
}

/** The first thing that a member that is up owes, as the command by which it says that it is done. */
export function dueOf(
  state: TopologyState,
  number: number,
  isUp: (member: number) => boolean,
): MoveCommand | undefined {
  for (const member of [...state.members.keys()].filter(isUp)) {
    const [duty] = dutiesOf(partitionAt(state, number), member).filter(
      (one) => one.type !== 'synchronise' || one.with.some(isUp),
    );
    if (duty?.type === 'enter') return { type: 'move-enter', member, moves: [moveAt(state, number)] };
    if (duty?.type === 'confirm') return { type: 'move-confirm', member, moves: [moveAt(state, number)] };
    if (duty?.type === 'synchronise') {
      const moves = [{ ...moveAt(state, number), sources: duty.with.filter(isUp).slice(0, 1) }];
      return { type: 'move-synced', member, moves };
    }
  }
  return undefined;
}
