import type { KVClusterStatus } from '../../api/kvcluster.ts';
import type { MemberState, MemberStatus, OperationStatus } from '../../api/kvcluster-status.ts';
import type { MemberSeen, Observation, OperationSeen, TopologySeen } from '../observation.ts';
import {
  isOutdated,
  memberNamed,
  neededReplicas,
  nodeNamed,
  ordinalsTo,
  podAt,
  podName,
} from '../plan/ordinals.ts';

/** One for each pod that there is or ought to be. */
export function membersOf(seen: Observation, previous: KVClusterStatus | undefined): readonly MemberStatus[] {
  const { topology } = seen.store;
  const count = Math.max(
    seen.cluster.wish.replicas,
    seen.statefulSet?.replicas ?? 0,
    topology === undefined ? 0 : neededReplicas(seen, topology),
  );
  return ordinalsTo(count).map((ordinal) => memberStatus(seen, ordinal, previous));
}

function memberStatus(
  seen: Observation,
  ordinal: number,
  previous: KVClusterStatus | undefined,
): MemberStatus {
  const name = podName(seen, ordinal);
  const { topology } = seen.store;
  const member = topology === undefined ? undefined : memberNamed(topology, name);
  const known = previous?.members?.find((each) => each.name === name);
  // Where nobody leads, what was known of it last is the best that is known; of one that left, its number is what its volume is marked with.
  const before = topology === undefined ? known : undefined;
  const number = member?.number ?? (isNewNode(seen, name) ? undefined : known?.number);
  const zone = member?.zone || before?.zone;
  const version = member?.version || before?.version;
  return {
    name,
    ...(number !== undefined && { number }),
    state: stateOf(seen, ordinal, member),
    ...(version && { version }),
    ready: podAt(seen, ordinal)?.isReady === true,
    ...(zone && { zone }),
  };
}

/** By its own word it is of no cluster yet: whoever had its name before was another member. */
function isNewNode(seen: Observation, name: string): boolean {
  const state = nodeNamed(seen, name)?.state;
  return state === 'waiting' || state === 'joining';
}

function stateOf(seen: Observation, ordinal: number, member: MemberSeen | undefined): MemberState {
  const node = nodeNamed(seen, podName(seen, ordinal));
  if (member !== undefined) return member.isDraining ? 'draining' : member.isUp ? 'up' : 'down';
  if (node?.state === 'member') return seen.store.topology === undefined ? 'up' : 'joining';
  if (node?.state === 'excluded') return 'left';
  if (node !== undefined) return node.state;
  if (podAt(seen, ordinal) === undefined) return 'absent';
  return seen.store.topology === undefined ? 'down' : 'waiting';
}

const KINDS: readonly OperationSeen['type'][] = ['drain', 'replace', 'factor', 'rebalance'];

/** The one that people wait for: what was asked for stands before what the store does by itself. */
export function operationOf(topology: TopologySeen | undefined): OperationStatus | undefined {
  const running = topology?.operations ?? [];
  const [first] = running.toSorted((a, b) => KINDS.indexOf(a.type) - KINDS.indexOf(b.type));
  if (first === undefined) return undefined;
  const { id, type: kind, partitions, partitionsLeft, bytesLeft, etaSeconds, blockedBy } = first;
  const done = partitions === 0 ? 0 : Math.max(0, partitions - partitionsLeft) / partitions;
  return {
    id,
    kind,
    percent: Math.floor(done * 100),
    movesLeft: partitionsLeft,
    ...(bytesLeft !== undefined && { bytesLeft: Math.round(bytesLeft) }),
    ...(etaSeconds !== undefined && { etaSeconds: Math.round(etaSeconds) }),
    ...(blockedBy !== undefined && { blockedBy: blockedBy.slice(0, BLOCKED_BY_MAX) }),
  };
}

const BLOCKED_BY_MAX = 1024;

/** The oldest that a member runs. */
export function versionOf(topology: TopologySeen | undefined): string | undefined {
  const versions = (topology?.members ?? []).flatMap(({ version }) => (version === '' ? [] : [version]));
  return versions.toSorted(BY_NUMBERS.compare)[0];
}

const BY_NUMBERS = new Intl.Collator('en', { numeric: true });

/** What all pods are made of; while some are older, what they were made of before. */
export function revisionOf(seen: Observation, previous: KVClusterStatus | undefined): string | undefined {
  const isMixed = seen.pods.length === 0 || seen.pods.some((pod) => isOutdated(seen, pod));
  return isMixed ? previous?.currentRevision : seen.wantedPodHash;
}
