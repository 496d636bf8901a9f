import type { MemberSeen, Observation, OperationSeen, TopologySeen } from '../observation.ts';
import { OPERATOR_NAME } from './act.ts';
import { act, type Finding, refuse, SOON_MS, wait } from './finding.ts';
import { isVolumeLost } from './lost-volumes.ts';
import { listed, memberNamed, ordinalsTo, podAt, podMembers, podName } from './ordinals.ts';

/** Turned round: who stays keeps its data. Drains that somebody else asked for are his. */
export function cancelDrains(seen: Observation, topology: TopologySeen): readonly Finding[] {
  return staying(seen, topology).flatMap(({ name }) => {
    const drain = drainOf(topology, name);
    if (drain === undefined || drain.by !== OPERATOR_NAME) return [];
    const what = { type: 'cancel-drain', member: name, operation: drain.id } as const;
    return [act('scale', `${name} stays: its drain is cancelled`, what)];
  });
}

/** Members with ordinals that are not wanted give away what they hold, all at the same time. */
export function drains(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const all = leaving(seen, topology);
  const rest = all.filter(({ name }) => goingOf(topology, name) === undefined);
  const under = all.filter((member) => !rest.includes(member));
  const waits = under.map(({ name }) => wait('scale', 'Draining', drainText(topology, name), SOON_MS));
  if (rest.length === 0) return waits;
  const obstacle = obstacleTo(seen, topology);
  if (obstacle !== undefined) return [...waits, obstacle];
  return [...waits, ...rest.map((member) => leave(seen, member))];
}

/** One that is lost with its volume has nothing left to give. */
function leave(seen: Observation, { name, ordinal, isUp, isExpendable }: Leaving): Finding {
  if (!isUp && isExpendable && isVolumeLost(seen, ordinal))
    return act('scale', `${name} is lost and not wanted: it is removed`, {
      type: 'replace-member',
      member: name,
    });
  return act('scale', `${name} gives its data away`, { type: 'drain', member: name });
}

type Leaving = MemberSeen & { readonly ordinal: number };

export function leaving(seen: Observation, topology: TopologySeen): readonly Leaving[] {
  return podMembers(seen, topology)
    .filter(({ ordinal }) => ordinal >= seen.cluster.wish.replicas)
    .map(({ ordinal, member }) => ({ ...member, ordinal }))
    .toSorted((a, b) => b.ordinal - a.ordinal);
}

export function staying(seen: Observation, topology: TopologySeen): readonly MemberSeen[] {
  const { replicas } = seen.cluster.wish;
  return podMembers(seen, topology).flatMap(({ ordinal, member }) => (ordinal < replicas ? [member] : []));
}

function obstacleTo(seen: Observation, topology: TopologySeen): Finding | undefined {
  if (!topology.isPlaced) return wait('scale', 'Forming', 'the data has no owners yet');
  const { replicas, replicationFactor } = seen.cluster.wish;
  const factor = Math.min(topology.replicationFactor, replicationFactor);
  if (replicas < factor)
    return refuse('scale', 'TooFewMembers', tooFewText(replicas, topology.replicationFactor));
  if (replicas < topology.replicationFactor)
    return wait('scale', 'WaitingForFactor', `the replication factor becomes ${replicationFactor} first`);
  const absent = absentOf(seen, topology);
  if (absent.length > 0)
    return wait('scale', 'WaitingForMembers', `nobody leaves while ${listed(absent)} ${areAway(absent)}`);
  return zoneObstacle(seen, topology);
}

function absentOf(seen: Observation, topology: TopologySeen): readonly string[] {
  return ordinalsTo(seen.cluster.wish.replicas)
    .map((ordinal) => podName(seen, ordinal))
    .filter((name) => memberNamed(topology, name)?.isUp !== true);
}

/** Replicas of a key that each have a zone of their own now would come to share one; the store refuses that too, member by member. */
function zoneObstacle(seen: Observation, topology: TopologySeen): Finding | undefined {
  const factor = topology.replicationFactor;
  const before = zonesOf(topology.members);
  const after = zonesOf(staying(seen, topology));
  if (before.size < factor || after.size >= factor) return undefined;
  const gone = listed([...before].filter((zone) => !after.has(zone)));
  const message =
    `without the members of ${gone} the ${factor} replicas of a key would share zones, which they do not now: ` +
    'keep more replicas, or lower spec.replicationFactor';
  return refuse('scale', 'TooFewZones', message);
}

function zonesOf(members: readonly MemberSeen[]): ReadonlySet<string> {
  return new Set(members.flatMap(({ zone }) => (zone === '' ? [] : [zone])));
}

function tooFewText(replicas: number, factor: number): string {
  return `${replicas} members cannot keep ${factor} replicas of each key: lower spec.replicationFactor first, or keep ${factor} replicas`;
}

export function drainOf({ operations }: TopologySeen, name: string): OperationSeen | undefined {
  return operations.find(({ type, member }) => type === 'drain' && member === name);
}

function goingOf({ operations }: TopologySeen, name: string): OperationSeen | undefined {
  return operations.find(({ type, member }) => (type === 'drain' || type === 'replace') && member === name);
}

function drainText(topology: TopologySeen, name: string): string {
  const operation = goingOf(topology, name);
  const blocked = operation?.blockedBy === undefined ? '' : `, blocked by ${operation.blockedBy}`;
  return `${name}: ${operation?.partitionsLeft ?? 0} partitions left${blocked}`;
}

function areAway(names: readonly string[]): string {
  return names.length === 1 ? 'is not up' : 'are not up';
}

export function isAllUp(seen: Observation, topology: TopologySeen): boolean {
  const pods = ordinalsTo(seen.cluster.wish.replicas).map((ordinal) => podAt(seen, ordinal));
  return absentOf(seen, topology).length === 0 && pods.every((pod) => pod?.isReady && !pod.isTerminating);
}
