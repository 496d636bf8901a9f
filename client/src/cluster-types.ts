/** What a node hears of a member: `left` said that it goes; `suspect` did not answer lately. */
export type Liveness = 'alive' | 'suspect' | 'dead' | 'left';

/**
 * `waiting`: of no cluster yet. `joining`: on its way into one. `member`: takes part. `excluded`: was removed or
 * replaced, or its data directory is too old.
 */
export type NodeState = 'waiting' | 'joining' | 'member' | 'excluded';

/** The cluster as one node sees it, without asking anybody. Absent members of these objects are not known. */
export type ClusterStatus = {
  readonly node: {
    readonly name: string;
    readonly state: NodeState;
    /** What it waits for, or why it is excluded. */
    readonly reason?: string;
    readonly member?: number;
    readonly incarnation?: number;
    readonly role?: 'leader' | 'follower' | 'pre-candidate' | 'candidate';
    readonly isVoter: boolean;
  };
  readonly clusterId?: string;
  readonly epoch: number;
  readonly leader?: { readonly member: number; readonly name: string };
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly quorum: {
    /** `degraded`: a voter is missing; `lost`: the topology cannot be changed. */
    readonly state: 'ok' | 'degraded' | 'lost' | 'none';
    readonly voters: readonly {
      readonly member: number;
      readonly name: string;
      readonly liveness: Liveness;
    }[];
    /** Voters that must be there. */
    readonly needed: number;
    /** Names of the voters that are not alive. */
    readonly missing: readonly string[];
    readonly reason?: string;
  };
  readonly members: {
    readonly total: number;
    readonly alive: number;
    readonly suspect: number;
    readonly dead: number;
  };
};

export type Member = {
  /** Never reused. */
  readonly number: number;
  readonly name: string;
  /** Drawn when its data directory was made. */
  readonly directoryId: string;
  /** Share of the data relative to others. */
  readonly weight: number;
  readonly state: 'waiting' | 'up';
  /** Gives its data away, and is given none. */
  readonly isDraining: boolean;
  /** `host:port`, as the one below. */
  readonly peerAddress: string;
  readonly httpAddress: string;
  /** Failure domain; empty where there is none. */
  readonly zone: string;
  /** What it announces, where its zone was set by hand. */
  readonly zoneReplaced?: string;
  readonly version: string;
  /** Counts its starts; `life` tells two starts with the same count apart. */
  readonly incarnation: number;
  readonly life: string;
};

/** A member, and what the asked node hears of it. */
export type MemberInfo = Member & {
  readonly liveness: Liveness;
  /** Where it was last reached. */
  readonly address: string;
  readonly appliedEpoch: number;
  readonly isVoter: boolean;
  readonly isLeader: boolean;
};

export type MemberList = { readonly epoch: number; readonly members: readonly MemberInfo[] };

/** Members, partitions and namespaces of one epoch: each change makes the next one. */
export type Topology = {
  readonly clusterId: string;
  readonly epoch: number;
  readonly settings: { readonly partitions: number; readonly replicationFactor: number };
  readonly members: readonly Member[];
  /** One per partition, or none until they are placed. `replicas` are members, the first is the primary. */
  readonly partitions: readonly {
    readonly replicas: readonly number[];
    readonly epoch: number;
    /** Only while it moves: to which members, and how far. */
    readonly move?: { readonly to: readonly number[]; readonly stage: MoveStage };
  }[];
  readonly namespaces: readonly {
    readonly name: string;
    readonly id: number;
    readonly consistency: string;
    /** ISO 8601. */
    readonly createdAt: string;
  }[];
};

/** A partition is copied (`joint`), brought up to date (`transfer`), and read from its new replicas (`switch`). */
export type MoveStage = 'joint' | 'transfer' | 'switch';

/**
 * `linearizable` (the default) includes every change that was acknowledged before, and needs a leader; `local` is what
 * the asked node has applied, and always answers.
 */
export type ReadConsistency = 'linearizable' | 'local';

export type TopologyQuery = {
  readonly consistency?: ReadConsistency;
  /** Wait until there is a later epoch than this one. */
  readonly after?: number;
  /** Milliseconds to wait for it, at most 60000; default 20000. The call's `timeoutMs` is for what comes on top. */
  readonly waitMs?: number;
};

export type BootstrapOptions = {
  /** 32 hexadecimal digits; drawn where absent. Only with one of your own may the call be repeated. */
  readonly clusterId?: string;
  /** 1 to 9. */
  readonly replicationFactor?: number;
  /** A power of two, 1 to 4096. */
  readonly partitions?: number;
};

/** What is not given stays as it is. */
export type MemberUpdate = {
  /** 1 to 1000. */
  readonly weight?: number;
  /** At most 63 letters, digits, dots, hyphens and underscores. It counts until the node announces another one. */
  readonly zone?: string;
};

/** `epoch`: the change holds since then. */
export type MemberChange = { readonly epoch: number; readonly member: number };
