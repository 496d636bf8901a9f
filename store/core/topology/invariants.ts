import { findMoveViolation } from '../moves/find-violation.ts';
import { setsAtStake } from '../moves/rules.ts';
import { majority } from '../quorum/quorum-sizes.ts';
import type { MemberId } from '../raft/types.ts';
import { DEFAULT_NAMESPACE } from './genesis.ts';
import { LIMITS } from './limits.ts';
import type { Member, Partition, TopologyState } from './types.ts';

/** What is wrong with `state`, or undefined. No sequence of commands leads to a violation. */
export function findViolation(state: TopologyState): string | undefined {
  return (
    findInBounds(state) ??
    findInMembers(state) ??
    findInPartitions(state) ??
    findInNamespaces(state) ??
    findInOperations(state)
  );
}

function findInBounds({ clusterId, epoch, settings }: TopologyState): string | undefined {
  if (!/^[0-9a-f]{32}$/.test(clusterId)) return `the cluster id '${clusterId}' is not 32 hexadecimal digits`;
  if (!Number.isSafeInteger(epoch) || epoch < 1) return `the epoch is ${epoch}`;
  const { partitions, replicationFactor } = settings;
  if (!Number.isInteger(Math.log2(partitions)) || !isWhole(partitions, 1, LIMITS.partitionsMax)) {
    return `${partitions} partitions are not a power of two from 1 to ${LIMITS.partitionsMax}`;
  }
  if (isWhole(replicationFactor, 1, LIMITS.replicationFactorMax)) return undefined;
  return `the replication factor is ${replicationFactor}`;
}

function findInMembers({ members, nextMember }: TopologyState): string | undefined {
  const all = [...members.values()];
  if (!all.some(({ state }) => state === 'up')) return 'no member has started';
  if (all.length > LIMITS.membersMax) return `there are ${all.length} members`;
  for (const [number, member] of members) {
    if (member.number !== number) return `member ${member.number} is filed under ${number}`;
    if (!isWhole(number, 1, nextMember - 1)) return `member ${number} is not below the next, ${nextMember}`;
    const problem = findInMember(member);
    if (problem !== undefined) return `member ${number} ${problem}`;
  }
  const name = findTwice(all.map((member) => member.name));
  if (name !== undefined) return `two members are named ${name}`;
  const directoryId = findTwice(all.map((member) => member.directoryId));
  return directoryId === undefined ? undefined : `two members have the directory ${directoryId}`;
}

function findInMember({ incarnation, life, state, weight }: Member): string | undefined {
  if (!isWhole(weight, 1, LIMITS.weightMax)) return `has the weight ${weight}`;
  if (state === 'up') return isWhole(incarnation, 1) ? undefined : `is up in incarnation ${incarnation}`;
  return incarnation === 0 && life === '' ? undefined : `waits in incarnation ${incarnation} '${life}'`;
}

function findInPartitions(state: TopologyState): string | undefined {
  const { partitions, settings } = state;
  if (partitions.length === 0) return undefined;
  // A replica whose member was replaced stays in its set until that moves.
  const isGivenOut = (number: MemberId): boolean => isWhole(number, 1, state.nextMember - 1);
  if (partitions.length !== settings.partitions) return `${partitions.length} partitions are placed`;
  for (const [number, partition] of partitions.entries()) {
    const { replicas, epoch } = partition;
    const shown = `partition ${number} [${replicas.join(', ')}]`;
    // Moves may change the size of a set, so the factor of the settings is none of its bounds.
    if (!isWhole(replicas.length, 1, LIMITS.replicationFactorMax)) return `${shown} has the wrong size`;
    if (findTwice(replicas) !== undefined) return `${shown} names a member twice`;
    const stranger = replicas.find((replica) => !isGivenOut(replica));
    if (stranger !== undefined) return `${shown} names ${stranger}, which never was a member`;
    if (!isWhole(epoch, 1, state.epoch))
      return `${shown} is of epoch ${epoch}, the topology of ${state.epoch}`;
    const problem = findMoveViolation(partition, isGivenOut) ?? findTooFew(state, partition);
    if (problem !== undefined) return `${shown} ${problem}`;
  }
  return undefined;
}

/** Of a set without a majority that could come back, what was acknowledged would be lost for good. */
function findTooFew({ members }: TopologyState, partition: Partition): string | undefined {
  const sets = setsAtStake(partition);
  const lost = sets.find(
    (set) => set.filter((replica) => members.has(replica)).length < majority(set.length),
  );
  return lost === undefined ? undefined : `has too few members left of [${lost.join(', ')}]`;
}

function findInNamespaces({ namespaces, nextNamespaceId }: TopologyState): string | undefined {
  if (!namespaces.has(DEFAULT_NAMESPACE)) return `the namespace ${DEFAULT_NAMESPACE} is missing`;
  if (namespaces.size > LIMITS.namespacesMax) return `there are ${namespaces.size} namespaces`;
  for (const [name, namespace] of namespaces) {
    if (namespace.name !== name) return `namespace ${namespace.name} is filed under ${name}`;
    if (!isWhole(namespace.id, 1, nextNamespaceId - 1)) {
      return `namespace ${name} has the id ${namespace.id}, the next is ${nextNamespaceId}`;
    }
  }
  const id = findTwice([...namespaces.values()].map((namespace) => namespace.id));
  return id === undefined ? undefined : `two namespaces have the id ${id}`;
}

/** Members are marked as draining by their operation, and by nothing else. */
function findInOperations({ operations, members, stopLeases, epoch }: TopologyState): string | undefined {
  const ids = operations.map(({ id }) => id);
  if (ids.some((id, index) => !isWhole(id, (ids[index - 1] ?? 0) + 1, epoch)))
    return `operations have the ids ${ids.join(', ')} at epoch ${epoch}`;
  const running = operations.filter(({ state }) => state === 'running').map(({ want }) => want);
  const wants = findTwice(
    running.map((want) => ('member' in want ? `${want.type} ${want.member}` : want.type)),
  );
  if (wants !== undefined) return `two operations run for '${wants}'`;
  const drains = running.flatMap((want) => (want.type === 'drain' ? [want.member] : []));
  const marked = [...members.values()].flatMap(({ isDraining, number }) => (isDraining ? [number] : []));
  if (drains.toSorted((a, b) => a - b).join() !== marked.toSorted((a, b) => a - b).join())
    return `members ${marked.join(', ')} are marked as draining, operations drain ${drains.join(', ')}`;
  if (operations.length - running.length > LIMITS.operationsEndedMax)
    return `${operations.length} operations are kept`;
  const stranger = stopLeases.find(({ member }) => !members.has(member));
  if (stranger !== undefined) return `member ${stranger.member} may stop, and is none`;
  const twice = findTwice(stopLeases.map(({ member }) => member));
  return twice === undefined ? undefined : `member ${twice} has two leases`;
}

function isWhole(value: number, min: number, max: number = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function findTwice<T>(values: readonly T[]): T | undefined {
  const seen = new Set<T>();
  return values.find((value) => seen.size === seen.add(value).size);
}
