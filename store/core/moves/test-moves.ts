import { createTopology } from '../topology/genesis.ts';
import { initialPartitions } from '../topology/partitions.ts';
import { type Member, type Partition, type TopologyState, toEpoch } from '../topology/types.ts';

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
