import type {
  ClaimSeen,
  MemberSeen,
  NodeSeen,
  Observation,
  OperationSeen,
  PodSeen,
  TopologySeen,
  Wish,
} from '../observation.ts';

/** Observations for tests: a cluster that is as it should be, and what of it is not. */

export const NOW_MS = 1_800_000_000_000;
export const CLUSTER_ID = '0123456789abcdef0123456789abcdef';
const GIB = 2 ** 30;

export const WISH: Wish = {
  replicas: 3,
  replicationFactor: 3,
  partitions: 8,
  storageBytes: GIB,
  whenScaled: 'Retain',
  whenDeleted: 'Retain',
  isPaused: false,
  usesZones: false,
  rebalanceAfterMs: 5000,
  replace: { mode: 'Automatic', afterMs: 600_000 },
};

export function pod(ordinal: number, changes: Partial<PodSeen> = {}): PodSeen {
  return {
    name: `kv-${ordinal}`,
    ordinal,
    uid: `pod-${ordinal}`,
    version: '7',
    hash: 'pods-1',
    isRestartNeeded: true,
    isTerminating: false,
    isOrphan: false,
    isRunning: true,
    isReady: true,
    readyChangedMs: NOW_MS - 3_600_000,
    isNodeGone: false,
    claimName: `data-kv-${ordinal}`,
    ...changes,
  };
}

/** It has not started: no node takes it. */
export function pendingPod(ordinal: number, changes: Partial<PodSeen> = {}): PodSeen {
  return pod(ordinal, { isRunning: false, isReady: false, stuckReason: 'Unschedulable: no', ...changes });
}

export function claim(ordinal: number, changes: Partial<ClaimSeen> = {}): ClaimSeen {
  return {
    name: `data-kv-${ordinal}`,
    ordinal,
    uid: `claim-${ordinal}`,
    clusterUid: 'uid-1',
    clusterId: CLUSTER_ID,
    left: undefined,
    isTerminating: false,
    mountedBy: [`kv-${ordinal}`],
    requestedBytes: GIB,
    isInherited: false,
    isLost: false,
    ...changes,
  };
}

export function member(ordinal: number, changes: Partial<MemberSeen> = {}): MemberSeen {
  return {
    number: ordinal + 1,
    name: `kv-${ordinal}`,
    isUp: true,
    isDraining: false,
    zone: '',
    version: '0.1.0',
    partitions: 8,
    isExpendable: true,
    ...changes,
  };
}

export function node(
  ordinal: number,
  state: NodeSeen['state'] = 'member',
  clusterId: string | undefined = state === 'waiting' ? undefined : CLUSTER_ID,
): NodeSeen {
  return { name: `kv-${ordinal}`, state, clusterId };
}

export function operation(changes: Partial<OperationSeen> & Pick<OperationSeen, 'type'>): OperationSeen {
  return {
    id: `${changes.type}-17`,
    by: 'kvorum-operator',
    partitions: 8,
    partitionsLeft: 4,
    ...changes,
  };
}

export function topology(count: number, changes: Partial<TopologySeen> = {}): TopologySeen {
  return {
    clusterId: CLUSTER_ID,
    epoch: 20,
    leader: 'kv-0',
    replicationFactor: 3,
    isPlaced: true,
    members: upTo(count).map((ordinal) => member(ordinal)),
    operations: [],
    partitionsShort: 0,
    partitionsLost: 0,
    ...changes,
  };
}

/** What a leader says, and all of it is heard. */
export function seenStore(
  known: TopologySeen | undefined,
  nodes: readonly NodeSeen[] = [],
): Observation['store'] {
  return { nodes, topology: known, heard: known?.members.map(({ name }) => name) ?? [] };
}

type Changes = {
  readonly count?: number;
  readonly wish?: Partial<Wish>;
  readonly cluster?: Partial<Observation['cluster']>;
  readonly statefulSet?: Partial<NonNullable<Observation['statefulSet']>> | undefined;
} & Partial<Omit<Observation, 'cluster' | 'statefulSet'>>;

/** `count` pods, claims and members; what is given takes the place of what would be there. */
export function observation(changes: Changes = {}): Observation {
  const { count = 3, wish, cluster, statefulSet, ...rest } = changes;
  return {
    nowMs: NOW_MS,
    cluster: {
      name: 'kv',
      uid: 'uid-1',
      isDeleting: false,
      hasFinalizer: false,
      wish: { ...WISH, ...wish },
      clusterId: CLUSTER_ID,
      hasLived: true,
      knownMembers: [],
      ...cluster,
    },
    missing: [],
    children: [{ kind: 'Service', name: 'kv', wantedHash: 's1', seenHash: 's1', owner: 'this' }],
    statefulSet: isMissing(changes) ? undefined : { ...STATEFUL_SET, replicas: count, ...statefulSet },
    wantedPodHash: 'pods-1',
    wantedFileHash: 'file-1',
    pods: upTo(count).map((ordinal) => pod(ordinal)),
    claims: upTo(count).map((ordinal) => claim(ordinal)),
    store: seenStore(
      topology(count),
      upTo(count).map((ordinal) => node(ordinal)),
    ),
    ...rest,
  };
}

const STATEFUL_SET = {
  uid: 'set-1',
  version: '7',
  owner: 'this',
  isDeleting: false,
  isObserved: true,
  wantedHash: 'set-1',
  seenHash: 'set-1',
  isImmutablyDifferent: false,
} as const;

function isMissing(changes: Changes): boolean {
  return 'statefulSet' in changes && changes.statefulSet === undefined;
}

export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
