import type { MemberId } from '../raft/types.ts';
import type { ApplyOutcome, CommandOf } from './command.ts';
import { applied, refused } from './outcome.ts';
import { type Epoch, type Partition, type TopologyState, toEpoch } from './types.ts';

/**
 * The first placement, all partitions at once. It was planned on a state, so it names that state's epoch: where the
 * members changed since, the planner plans again instead of placing data on a member that is gone.
 */
export function applyPlacePartitions(
  state: TopologyState,
  command: CommandOf<'place-partitions'>,
): ApplyOutcome {
  if (state.partitions.length > 0) {
    const placed = `The ${state.partitions.length} partitions are placed already`;
    return refused(state, 'ALREADY_PLACED', `${placed}; from then on they only move.`);
  }
  if (command.expectedEpoch !== state.epoch) {
    const changed = `The placement was planned at epoch ${command.expectedEpoch}, the topology is at ${state.epoch}.`;
    return refused(state, 'EPOCH_CHANGED', `${changed} Read the topology and plan again.`);
  }
  const problem = findProblem(state, command.replicaSets);
  if (problem !== undefined) return refused(state, 'BAD_PLACEMENT', problem);
  const epoch = toEpoch(state.epoch + 1);
  const partitions = command.replicaSets.map((replicas): Partition => ({ replicas: [...replicas], epoch }));
  return applied(state, { partitions }, 0);
}

export function initialPartitions(count: number, replicas: readonly MemberId[], epoch: Epoch): Partition[] {
  return Array.from({ length: count }, () => ({ replicas, epoch }));
}

function findProblem(
  state: TopologyState,
  replicaSets: readonly (readonly MemberId[])[],
): string | undefined {
  const { partitions, replicationFactor } = state.settings;
  if (replicaSets.length !== partitions) {
    return `The placement has ${replicaSets.length} replica sets; there are ${partitions} partitions.`;
  }
  for (const [partition, replicas] of replicaSets.entries()) {
    const shown = `The replica set of partition ${partition} [${replicas.slice(0, 16).join(', ')}]`;
    if (replicas.length !== replicationFactor) {
      return `${shown} has ${replicas.length} members; the replication factor is ${replicationFactor}.`;
    }
    if (new Set(replicas).size !== replicas.length) return `${shown} names a member twice.`;
    const stranger = replicas.find((replica) => !state.members.has(replica));
    if (stranger !== undefined) return `${shown} names ${stranger}, which is not a member.`;
    const draining = replicas.find((replica) => state.members.get(replica)?.isDraining);
    if (draining !== undefined) return `${shown} names ${draining}, which is being drained.`;
  }
  return undefined;
}
