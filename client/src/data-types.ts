import type { MoveStage } from './cluster-types.ts';

/** Who owns what, as one node has applied it. */
export type Ring = {
  /** Of the topology. */
  readonly epoch: number;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly members: readonly {
    readonly number: number;
    readonly name: string;
    /** `host:port`. */
    readonly httpAddress: string;
    /** Empty where there is none. */
    readonly zone: string;
    readonly isUp: boolean;
    readonly weight: number;
  }[];
  /** One per partition. `replicas` are members, the first is the primary. */
  readonly sets: readonly (MovingTo & { readonly replicas: readonly number[]; readonly epoch: number })[];
  readonly balance: {
    readonly members: readonly MemberBalance[];
    readonly zones: readonly (Omit<MemberBalance, 'member' | 'zone' | 'partitions'> & {
      readonly zone: string;
      readonly members: number;
      readonly replicas: number;
    })[];
  };
};

export type MemberBalance = {
  readonly member: number;
  /** Absent for an owner that may own no data. */
  readonly zone?: string;
  /** That it holds, and those of them that it leads. */
  readonly partitions: number;
  readonly primaries: number;
  /** Partitions that it should hold; not whole. */
  readonly ideal: number;
  /** partitions - ideal. */
  readonly deviation: number;
};

/** Absent where the partition does not move. */
export type MovingTo = {
  /** The members that it moves to, the coming primary first. */
  readonly movingTo?: readonly number[];
  readonly stage?: MoveStage;
};

export type KeyPlace = MovingTo & {
  /** 0..16383. */
  readonly slot: number;
  readonly partition: number;
  /** Of the partition. */
  readonly epoch: number;
  /** The primary first. */
  readonly replicas: readonly {
    readonly member: number;
    readonly name: string;
    readonly isUp: boolean;
    readonly isPrimary: boolean;
    readonly httpAddress: string;
  }[];
};

/**
 * `safe`: every replica holds the newest version. `degraded`: a quorum does. `at-risk`: less than a quorum is known to.
 * `absent`: a quorum says that there is nothing. `unknown`: too few answer to tell.
 */
export type KeySafety = 'safe' | 'degraded' | 'at-risk' | 'absent' | 'unknown';

export type KeyExplanation = Omit<KeyPlace, 'replicas' | keyof MovingTo> & {
  readonly namespace: string;
  readonly safety: KeySafety;
  /** In words. */
  readonly verdict: string;
  readonly replicas: readonly ExplainedReplica[];
  /** Writes of this key that members keep for others; names. */
  readonly hints: readonly { readonly keeper: string; readonly owner: string; readonly version: string }[];
};

export type ExplainedReplica = {
  readonly member: number;
  readonly name: string;
  readonly isUp: boolean;
  readonly isReachable: boolean;
  readonly report?: KeyReport;
  /** Why there is no report. */
  readonly error?: string;
};

/** What one replica says of a key; times are ISO 8601. */
export type KeyReport = {
  readonly epoch: number;
  /** Absent where it holds nothing. */
  readonly version?: string;
  readonly isTombstone: boolean;
  readonly expiresAt?: string;
  readonly bytes: number;
  /** The record fails its checksum. */
  readonly isCorrupt: boolean;
  readonly floor: string;
  readonly watermark: string;
  readonly lastExchange: readonly { readonly member: number; readonly at: string }[];
  readonly treeState: 'ready' | 'building';
};

/** Partitions. */
export type VerifyProgress = { readonly done: number; readonly total: number };

export type VerifyReport = {
  readonly partitions: number;
  /** Partitions whose replicas were all proven equal. */
  readonly equal: number;
  readonly keysRepaired: number;
  readonly bytesSent: number;
  /** The partitions whose replicas were not proven equal. */
  readonly unproven: readonly number[];
  /** One line for each of them. */
  readonly problems: readonly string[];
  readonly members: readonly {
    readonly member: number;
    readonly name: string;
    readonly partitions: number;
    readonly equal: number;
    readonly error?: string;
  }[];
};

/** What repairs one node; times are ISO 8601. */
export type RepairStatus = {
  readonly replica: { readonly state: 'ok' | 'out'; readonly reason?: string };
  readonly hints: {
    readonly bytes: number;
    readonly count: number;
    readonly owners: readonly {
      readonly owner: number;
      readonly count: number;
      readonly bytes: number;
      readonly oldestAt: string;
    }[];
  };
  readonly exchange: {
    readonly lastRoundAt?: string;
    readonly partitions: number;
    readonly partitionsEqual: number;
    readonly keysRepaired: number;
    readonly bytesSent: number;
  };
  readonly trees: { readonly ready: number; readonly building: number };
};
