import type { MemberId } from '../raft/types.ts';

/** The version of the topology: raised by one with every change, never otherwise. 0 is before the first. */
export type Epoch = number & { readonly unit: 'Epoch' };

export const toEpoch = (value: number): Epoch => value as Epoch;

/** One life of a node: a start of a data directory. `life` tells apart two starts that claim the same incarnation. */
export type Incarnation = { readonly incarnation: number; readonly life: string };

/**
 * What a directory can show for being the newest one: `lives` are its starts since the last one that it knows to be
 * registered, that one included, oldest first; the last is the present one, of `incarnation`. An older copy of the directory
 * lacks what was registered since, however often it is started.
 */
export type Succession = { readonly incarnation: number; readonly lives: readonly string[] };

/** What a node says of itself when it joins and at every start; addresses are `host:port`. */
export type Announcement = {
  readonly peerAddress: string;
  readonly httpAddress: string;
  /** Failure domain; empty where there is none. */
  readonly zone: string;
  /** The version of the software. */
  readonly version: string;
};

/** `waiting` has a number and has not started under it yet. */
export type MemberState = 'waiting' | 'up';

export type Member = Announcement &
  Incarnation & {
    /** From 1, never reused: a number below `nextMember` that is not among the members was removed. */
    readonly number: MemberId;
    /** A DNS label, unique among the members. */
    readonly name: string;
    /** Drawn when the data directory was made: the same name with another directory is another member. */
    readonly directoryId: string;
    /** Share of the data relative to others. */
    readonly weight: number;
    readonly state: MemberState;
  };

export type Partition = {
  /** The replica set; the first is the primary. */
  readonly replicas: readonly MemberId[];
  /** The epoch of the last change that touched this partition. */
  readonly epoch: Epoch;
};

export type TopologyNamespace = {
  readonly name: string;
  /** From 1, never reused. */
  readonly id: number;
  readonly consistency: 'quorum';
  readonly createdAtMs: number;
};

/** Fixed at bootstrap. */
export type TopologySettings = {
  /** A power of two, 1 to 4096. */
  readonly partitions: number;
  readonly replicationFactor: number;
};

/** What the topology group keeps (DESIGN section 5). Values are never changed in place. */
export type TopologyState = {
  /** 32 hexadecimal digits. */
  readonly clusterId: string;
  readonly epoch: Epoch;
  readonly settings: TopologySettings;
  readonly members: ReadonlyMap<MemberId, Member>;
  readonly nextMember: MemberId;
  /** One per partition, or none until they are placed. */
  readonly partitions: readonly Partition[];
  readonly namespaces: ReadonlyMap<string, TopologyNamespace>;
  readonly nextNamespaceId: number;
};
