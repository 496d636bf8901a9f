import type { ClaimSeen, NodeSeen, Observation, PodSeen } from '../observation.ts';
import type { SimClaim, SimPod, TestWorld } from './test-world.ts';

const UID = 'uid-1';

/** What an operator sees of the world as it is now. */
export function observationOf(world: TestWorld): Observation {
  const { store } = world;
  const nodes = [...world.pods.keys()].flatMap((ordinal) => nodeSeen(world, ordinal));
  const wantedHash = world.setHash();
  return {
    nowMs: world.nowMs,
    cluster: {
      name: 'kv',
      uid: UID,
      isDeleting: world.isDeleting,
      hasFinalizer: world.hasFinalizer,
      wish: world.wish,
      clusterId: world.clusterId,
      hasLived: world.hasLived,
      knownMembers: [...world.knownMembers],
    },
    missing: [],
    children: [
      {
        kind: 'ConfigMap',
        name: 'kv-config',
        wantedHash: world.child,
        seenHash: world.childSeen,
        owner: 'this',
      },
    ],
    statefulSet: world.set && {
      uid: world.set.uid,
      version: String(world.set.replicas),
      owner: 'this',
      isDeleting: false,
      replicas: world.set.replicas,
      isObserved: world.set.isObserved,
      wantedHash,
      seenHash: world.set.hash,
      isImmutablyDifferent: world.set.bytes !== world.wish.storageBytes,
    },
    wantedPodHash: world.image,
    wantedFileHash: '',
    pods: [...world.pods].map(([ordinal, pod]) => podSeen(world, ordinal, pod)),
    claims: [...world.claims].map(([ordinal, claim]) => claimSeen(world, ordinal, claim)),
    store: {
      nodes,
      topology: store?.hasLeader === true ? store.seen() : undefined,
      heard: nodes.length === 0 ? [] : [...(store?.members.values() ?? [])].map(({ name }) => name),
    },
  };
}

function nodeSeen(world: TestWorld, ordinal: number): readonly NodeSeen[] {
  const disk = world.claims.get(ordinal)?.disk;
  if (world.pods.get(ordinal)?.isRunning !== true || disk === undefined) return [];
  const { number, clusterId } = disk;
  const known = number !== undefined && world.store?.members.has(number) === true;
  const state = clusterId === undefined ? 'waiting' : known ? 'member' : 'excluded';
  return [{ name: `kv-${ordinal}`, state, clusterId }];
}

function podSeen(world: TestWorld, ordinal: number, pod: SimPod): PodSeen {
  const number = world.numberOf(ordinal);
  const { uid, hash, isTerminating, isOrphan, isRunning } = pod;
  return {
    name: `kv-${ordinal}`,
    ordinal,
    uid,
    version: uid,
    hash,
    isRestartNeeded: true,
    isTerminating,
    isOrphan,
    isRunning,
    isReady: isRunning && number !== undefined && world.isUp(number) && world.store?.hasLeader === true,
    readyChangedMs: pod.sinceMs,
    stuckReason: stuckReason(world, ordinal, pod),
    unschedulableSinceMs: world.claims.get(ordinal)?.isLost ? pod.sinceMs : undefined,
    isNodeGone: false,
    claimName: `data-kv-${ordinal}`,
  };
}

function stuckReason(world: TestWorld, ordinal: number, { isRunning, hash }: SimPod): string | undefined {
  if (isRunning) return undefined;
  if (world.claims.get(ordinal)?.isLost) return 'Unschedulable: its volume is on a node that is gone';
  return hash.startsWith('broken') ? 'ImagePullBackOff: no such image' : undefined;
}

function claimSeen(
  world: TestWorld,
  ordinal: number,
  { uid, left, isTerminating, isLost, bytes }: SimClaim,
): ClaimSeen {
  return {
    name: `data-kv-${ordinal}`,
    ordinal,
    uid,
    clusterUid: UID,
    clusterId: world.clusterId,
    left,
    isTerminating,
    mountedBy: world.pods.has(ordinal) ? [`kv-${ordinal}`] : [],
    requestedBytes: bytes,
    isInherited: false,
    isLost,
  };
}
