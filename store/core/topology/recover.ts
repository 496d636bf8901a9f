import type { MemberId } from '../raft/types.ts';
import { type Epoch, type Member, type Partition, type TopologyState, toEpoch } from './types.ts';

/**
 * Recovery by hand, when the majority of the voters is gone for good: one member goes on alone, as another cluster.
 * The new cluster id keeps whoever comes back of the old one out.
 */
export type RecoveryOptions = {
  /** 32 hexadecimal digits, not those of the old cluster. */
  readonly clusterId: string;
  readonly survivor: MemberId;
};

export type Recovery = { readonly state: TopologyState; readonly lost: RecoveryLoss };

/** What is lost, or may be. */
export type RecoveryLoss = {
  /** Changes of the topology after this epoch may have been acknowledged without the survivor's knowledge. */
  readonly changesAfter: Epoch;
  readonly members: readonly Member[];
  /** Numbers of the partitions of which the survivor has no copy, or but a part of one: they go on with that. */
  readonly partitions: readonly number[];
  /** Partitions that others had too: the survivor's copy may miss writes that were acknowledged by them. */
  readonly partitionsBehind: readonly number[];
};

/**
 * The old majority may have counted on, unknown to the survivor. Skipping what it may have given out keeps member
 * numbers from stamping versions twice, a new namespace from showing the data of one with its id, and an epoch that
 * a client has seen from meaning something else.
 */
export const NUMBERS_SKIPPED_AT_RECOVERY = 1000;

export class TopologyRecoveryError extends Error {
  override readonly name = 'TopologyRecoveryError';
}

export function recoverTopology(state: TopologyState, { clusterId, survivor }: RecoveryOptions): Recovery {
  const member = requireSurvivor(state, survivor);
  if (clusterId === state.clusterId) {
    const why = 'nodes of the old cluster would take it for theirs';
    throw new TopologyRecoveryError(
      `The cluster id ${clusterId} is that of the old cluster: ${why}. Draw a new one.`,
    );
  }
  const epoch = toEpoch(state.epoch + NUMBERS_SKIPPED_AT_RECOVERY);
  return {
    state: {
      ...state,
      clusterId,
      epoch,
      members: new Map([[survivor, { ...member, isDraining: false }]]),
      nextMember: state.nextMember + NUMBERS_SKIPPED_AT_RECOVERY,
      nextNamespaceId: state.nextNamespaceId + NUMBERS_SKIPPED_AT_RECOVERY,
      // What was being done was for members that are no more.
      operations: [],
      stopLeases: [],
      partitions: state.partitions.map((): Partition => ({ replicas: [survivor], epoch })),
    },
    lost: findLoss(state, survivor),
  };
}

function requireSurvivor(state: TopologyState, survivor: MemberId): Member {
  const member = state.members.get(survivor);
  const known = `members are ${[...state.members.keys()].join(', ')}`;
  if (member === undefined) {
    throw new TopologyRecoveryError(
      `Member ${survivor} is not of this topology; ${known}. Recover from one of them.`,
    );
  }
  if (member.state === 'up') return member;
  const why = 'has not started under its number, as far as it knows, and has nothing to go on with';
  throw new TopologyRecoveryError(`Member ${survivor} (${member.name}) ${why}. Recover from another member.`);
}

function findLoss(state: TopologyState, survivor: MemberId): RecoveryLoss {
  const numbersOf = (isMeant: (replicas: readonly MemberId[]) => boolean): readonly number[] =>
    state.partitions.flatMap((partition, number) => (isMeant(holdersOf(partition)) ? [number] : []));
  return {
    changesAfter: state.epoch,
    members: [...state.members.values()].filter(({ number }) => number !== survivor),
    partitions: numbersOf((replicas) => !replicas.includes(survivor)),
    partitionsBehind: numbersOf((replicas) => replicas.includes(survivor) && replicas.length > 1),
  };
}

/** Who has a copy that is whole: what a member of T has is a part of one until reads switch to it. */
function holdersOf({ replicas, move }: Partition): readonly MemberId[] {
  return move?.stage === 'switch' ? [...replicas, ...move.to] : replicas;
}
