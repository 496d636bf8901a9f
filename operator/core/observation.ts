/**
 * All that one reconcile sees, as plain data. A plan and a status follow from this alone: what an operator did before it died is
 * only known by what it left in the API server and in the store.
 */
export type Observation = {
  readonly nowMs: number;
  readonly cluster: ClusterSeen;
  /** Kinds that the spec asks for and this Kubernetes does not have, and where they come from. */
  readonly missing: readonly MissingApi[];
  readonly children: readonly ChildSeen[];
  readonly statefulSet: StatefulSetSeen | undefined;
  /** Of the pods that the StatefulSet ought to make: what the user can see of them. */
  readonly wantedPodHash: string;
  /** Of the bytes of the settings file in the ConfigMap. */
  readonly wantedFileHash: string;
  /** All that bear the name of this StatefulSet and an ordinal, whatever their labels say. */
  readonly pods: readonly PodSeen[];
  /** All that are named `data-NAME-i`. */
  readonly claims: readonly ClaimSeen[];
  readonly store: StoreSeen;
};

export type MissingApi = { readonly field: string; readonly api: string; readonly from: string };

/** The KVCluster. */
export type ClusterSeen = {
  readonly name: string;
  readonly uid: string;
  readonly isDeleting: boolean;
  readonly hasFinalizer: boolean;
  readonly wish: Wish;
  /** Why no children can be made from the spec, where the schema could not tell. */
  readonly specProblem?: Problem | undefined;
  /** Of the status: drawn before the cluster is made, so that it is made once. */
  readonly clusterId: string | undefined;
  /** The status has an epoch: the store was seen to live, so that empty disks from now on are lost disks. */
  readonly hasLived: boolean;
  /** Numbers of members by their names, as the status has them. */
  readonly knownMembers: readonly { readonly name: string; readonly number: number }[];
};

/** What the user wants, of the spec. */
export type Wish = {
  readonly replicas: number;
  readonly replicationFactor: number;
  readonly partitions: number;
  readonly storageBytes: number;
  readonly whenScaled: RetentionPolicy;
  readonly whenDeleted: RetentionPolicy;
  readonly isPaused: boolean;
  /** Whether members are told the zones of their pods. */
  readonly usesZones: boolean;
  /** When the store begins to move data to members that came; undefined where it does not by itself. */
  readonly rebalanceAfterMs: number | undefined;
  readonly replace: { readonly mode: 'Automatic' | 'Manual'; readonly afterMs: number };
};

export type RetentionPolicy = 'Retain' | 'Delete';

/** `reason` in CamelCase, `message` in words. */
export type Problem = { readonly reason: string; readonly message: string };

/**
 * Whose an object is by its controller reference. `former`: of a KVCluster of this name that was deleted, so that it is about to be collected.
 * What is somebody else's is never touched.
 */
export type Owner = 'this' | 'nobody' | 'former' | 'other';

/** One of the objects beside the StatefulSet. `wantedHash` undefined: there should be none; `seenHash`: there is none. */
export type ChildSeen = {
  readonly kind: string;
  readonly name: string;
  readonly wantedHash: string | undefined;
  readonly seenHash: string | undefined;
  readonly owner: Owner;
};

export type StatefulSetSeen = {
  readonly uid: string;
  /** Its resourceVersion: another one as soon as its spec changes, or a pod is made, gets ready, or ends. */
  readonly version: string;
  readonly owner: Owner;
  readonly isDeleting: boolean;
  /** Of the spec, which only the operator writes. */
  readonly replicas: number;
  /** The controller has seen the last change of the spec. */
  readonly isObserved: boolean;
  readonly wantedHash: string;
  readonly seenHash: string | undefined;
  /** What wants changing cannot be changed in place, such as the template of the claims. */
  readonly isImmutablyDifferent: boolean;
};

export type PodSeen = {
  readonly name: string;
  readonly ordinal: number;
  readonly uid: string;
  /** Its resourceVersion: another one as soon as anything is said of it. */
  readonly version: string;
  readonly hash: string | undefined;
  /** More than live settings are different from what is wanted; counts where the hash is another one. */
  readonly isRestartNeeded: boolean;
  readonly isTerminating: boolean;
  /** No controller has it: its StatefulSet was deleted without it. */
  readonly isOrphan: boolean;
  /** The container of the store runs now. */
  readonly isRunning: boolean;
  readonly isReady: boolean;
  /** When it became what `isReady` says; its creation where nothing says so. */
  readonly readyChangedMs: number;
  /** Why it does not run, as the kubelet or the scheduler has it: `ImagePullBackOff: ...`. */
  readonly stuckReason?: string | undefined;
  /** No node takes it. */
  readonly unschedulableSinceMs?: number | undefined;
  readonly node?: string | undefined;
  /** The node that it ran on is no object any more. */
  readonly isNodeGone: boolean;
  readonly zone?: string | undefined;
  readonly claimName: string;
};

export type ClaimSeen = {
  readonly name: string;
  readonly ordinal: number;
  readonly uid: string;
  /** The annotation kvorum.dev/cluster-uid: claims without one are not of this operator. */
  readonly clusterUid: string | undefined;
  /** The annotation kvorum.dev/cluster-id: the store's cluster whose data it holds. */
  readonly clusterId: string | undefined;
  /** The annotation kvorum.dev/left: what it holds was given away by a member that left. */
  readonly left: string | undefined;
  readonly isTerminating: boolean;
  /** Pods that mount it, of this cluster or not. */
  readonly mountedBy: readonly string[];
  readonly requestedBytes: number;
  /** It is older than the KVCluster: an earlier one of this name left it. */
  readonly isInherited: boolean;
  /** Its volume is gone, or is on a node that is gone. */
  readonly isLost: boolean;
};

/** The store's view of itself. */
export type StoreSeen = {
  /** What each pod's node says of itself; those that do not answer are not in it. */
  readonly nodes: readonly NodeSeen[];
  /** By a linearizable read; undefined where no leader answers. */
  readonly topology: TopologySeen | undefined;
  /** Names of the members as one of the nodes has applied them: good for what needs no certainty, such as to start a pod. */
  readonly heard: readonly string[];
};

export type NodeSeen = {
  readonly name: string;
  readonly state: 'waiting' | 'joining' | 'member' | 'excluded';
  readonly clusterId: string | undefined;
  readonly reason?: string | undefined;
  /** Undefined where it did not say. */
  readonly settings?: SettingsSeen | undefined;
};

/** What a node goes by; `fixed`: it has no file, or is of a version that reads it only as it starts. */
export type SettingsSeen =
  | { readonly type: 'fixed' }
  | {
      readonly type: 'live';
      /** Of the file that is in effect. */
      readonly fileHash: string;
      /** Why the file that it has now is not. */
      readonly refused?: { readonly fileHash: string | undefined; readonly problem: string } | undefined;
    };

export type TopologySeen = {
  readonly clusterId: string;
  readonly epoch: number;
  readonly leader: string | undefined;
  readonly replicationFactor: number;
  readonly isPlaced: boolean;
  readonly members: readonly MemberSeen[];
  /** Those that run. */
  readonly operations: readonly OperationSeen[];
  /** With a replica that is down or retired. */
  readonly partitionsShort: number;
  /** Without a majority of their replicas. */
  readonly partitionsLost: number;
};

export type MemberSeen = {
  readonly number: number;
  readonly name: string;
  /** It has started, and others hear of it. */
  readonly isUp: boolean;
  readonly isDraining: boolean;
  readonly zone: string;
  readonly version: string;
  /** Partitions that it holds or is about to. */
  readonly partitions: number;
  /** Each of them has a majority that is up without it. */
  readonly isExpendable: boolean;
};

export type OperationSeen = {
  readonly id: string;
  readonly type: 'drain' | 'replace' | 'rebalance' | 'factor';
  /** Who asked for it. */
  readonly by: string;
  readonly member?: string | undefined;
  readonly partitions: number;
  readonly partitionsLeft: number;
  readonly bytesLeft?: number | undefined;
  readonly etaSeconds?: number | undefined;
  readonly blockedBy?: string | undefined;
};
