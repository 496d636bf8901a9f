import type { MemberInfo, Operation, Topology } from '@kvorum/client';
import type { MemberSeen, OperationSeen, TopologySeen } from '../core/observation.ts';

type Told = {
  /** By a linearizable read. */
  readonly topology: Topology;
  /** What one of the nodes hears of the members. */
  readonly members: readonly MemberInfo[];
  readonly operations: readonly Operation[];
};

type Partition = Topology['partitions'][number];

/** What a plan needs of a topology: counts instead of sets. */
export function topologySeen({ topology, members, operations }: Told): TopologySeen {
  const up = new Set(members.filter(isUp).map(({ number }) => number));
  const { partitions, settings } = topology;
  return {
    clusterId: topology.clusterId,
    epoch: topology.epoch,
    leader: members.find(({ isLeader }) => isLeader)?.name,
    replicationFactor: settings.replicationFactor,
    isPlaced: partitions.length > 0,
    members: topology.members.map(({ number, name, isDraining, zone, version }) => {
      const of = { number, name, isDraining, zone, version };
      return memberSeen(of, partitions, up);
    }),
    operations: operations.filter(({ state }) => state === 'running').map(operationSeen),
    partitionsShort: partitions.filter(({ replicas }) => replicas.some((n) => !up.has(n))).length,
    partitionsLost: partitions.filter((partition) => !isServed(partition, (n) => up.has(n))).length,
  };
}

/** Who said that it goes is not counted on. */
function isUp({ state, liveness }: MemberInfo): boolean {
  return state === 'up' && (liveness === 'alive' || liveness === 'suspect');
}

function memberSeen(
  member: Pick<MemberSeen, 'number' | 'name' | 'isDraining' | 'zone' | 'version'>,
  partitions: Topology['partitions'],
  up: ReadonlySet<number>,
): MemberSeen {
  const { number } = member;
  const own = partitions.filter(
    ({ replicas, move }) => replicas.includes(number) || move?.to.includes(number),
  );
  const isExpendable = own.every((partition) => isServed(partition, (n) => n !== number && up.has(n)));
  return { ...member, isUp: up.has(number), partitions: own.length, isExpendable };
}

/** Each set that counts has a majority; from `transfer` on that to which it moves does as well (docs/quorum.md). */
function isServed({ replicas, move }: Partition, isThere: (number: number) => boolean): boolean {
  const hasMajority = (set: readonly number[]) => set.filter(isThere).length * 2 > set.length;
  const isMoved = move !== undefined && move.stage !== 'joint';
  return hasMajority(replicas) && (!isMoved || hasMajority(move.to));
}

function operationSeen(operation: Operation): OperationSeen {
  const { id, type, by, member, partitions, partitionsLeft, bytesLeft, etaSeconds, blockedBy } = operation;
  return { id, type, by, member, partitions, partitionsLeft, bytesLeft, etaSeconds, blockedBy };
}
