import type { Liveness } from '../core/gossip/messages.ts';
import type { StopVerdict } from '../core/moves/can-stop.ts';
import type { OperationStatus } from '../core/moves/operations.ts';
import type { Progress } from '../core/moves/progress.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { TopologyRefusalCode } from '../core/topology/command.ts';
import type { Epoch, Member, TopologyState } from '../core/topology/types.ts';

/**
 * The cluster as the interfaces of a node (HTTP, CLI, metrics) see it. Changes are forwarded to the leader and
 * resolve once they are committed and applied there; what goes wrong is a ClusterError.
 */
export type ClusterAdmin = {
  /** What this node knows now, without asking anybody. */
  status(): ClusterStatus;
  /** The members with what gossip says of them, as this node knows them now. */
  members(): readonly MemberView[];
  /** `linearizable` includes every change acknowledged before the call; `local` is what this node has applied. */
  readTopology(consistency: ReadConsistency, signal: AbortSignal): Promise<TopologyState>;
  /** Resolves once this node has applied an epoch above `after`, with the newest, or at once; at `signal` with what there is. */
  waitForEpoch(after: Epoch, signal: AbortSignal): Promise<TopologyState>;
  bootstrap(request: BootstrapRequest): Promise<{ readonly clusterId: string; readonly created: boolean }>;
  removeMember(name: string, signal: AbortSignal): Promise<ChangeResult>;
  updateMember(name: string, change: MemberChange, signal: AbortSignal): Promise<ChangeResult>;
  /** Resolves with the name of the operation, also where it is under way already. */
  startOperation(request: OperationRequest, signal: AbortSignal): Promise<OperationStarted>;
  /** What has moved stays where it is, and moves under way go back as far as they can. A success too where it was cancelled before. */
  cancelOperation(id: Epoch, signal: AbortSignal): Promise<ChangeResult>;
  /** What is being done with the data, and was done of late, by the topology that this node has applied and its own gossip. */
  operations(): OperationList;
  /** Those with the bytes of the ones that run, by what all members say of themselves within a second. */
  operationProgress(operations: readonly OperationView[]): Promise<readonly OperationView[]>;
  /**
   * Whether the member can be stopped now. A yes counts for `STOP_LEASE_MS`: until then nobody else hears one that together with it
   * would break a quorum, unless it `isLookOnly`. Throws ClusterError MEMBER_NOT_FOUND.
   */
  canStop(name: string, options: { readonly isLookOnly: boolean }, signal: AbortSignal): Promise<StopAnswer>;
  /** Resolves with the new leader. Without `to` the leader chooses the voter that is furthest. */
  transferLeadership(to: string | undefined, signal: AbortSignal): Promise<{ readonly leader: string }>;
  createNamespace(name: string, signal: AbortSignal): Promise<ChangeResult>;
  dropNamespace(name: string, id: number, signal: AbortSignal): Promise<ChangeResult>;
};

export type ReadConsistency = 'linearizable' | 'local';

/** `subject`: the number of the member, or the id of the namespace, that the change was about. */
export type ChangeResult = { readonly epoch: Epoch; readonly subject: number };

/** What is not given stays as it is. */
export type MemberChange = { readonly weight?: number | undefined; readonly zone?: string | undefined };

/**
 * Members by name. `by`: who asks, for whoever reads the list. `force`: also where a member that is up is replaced, replicas would come
 * to share a zone, or a disk seems too small.
 */
export type OperationRequest = { readonly by: string } & (
  | { readonly type: 'drain' | 'replace'; readonly member: string; readonly force?: boolean | undefined }
  | { readonly type: 'rebalance'; readonly force?: boolean | undefined }
  | { readonly type: 'factor'; readonly replicationFactor: number; readonly force?: boolean | undefined }
);

/** `operation` is undefined where nothing is to be done: the factor is what it is. */
export type OperationStarted = { readonly epoch: Epoch; readonly operation: string | undefined };

/** How long a yes counts: longer than it takes until a node that has stopped is seen to be down. */
export const STOP_LEASE_MS = 60_000;

/** `untilMs`: of the lease, in milliseconds since 1970 by the clock of the node that was asked. */
export type StopAnswer = StopVerdict & { readonly untilMs?: number | undefined };

export type BootstrapRequest = {
  /** 32 hexadecimal digits; drawn where absent. The same id again is a success. */
  readonly clusterId?: string | undefined;
  readonly replicationFactor?: number | undefined;
  readonly partitions?: number | undefined;
};

/**
 * `waiting`: no cluster yet. `joining`: a number is being asked for, or the log is arriving. `member`: takes part.
 * `excluded`: was removed or replaced, or its directory is older than what the cluster saw of it.
 */
export type NodeState = 'waiting' | 'joining' | 'member' | 'excluded';

export type ClusterStatus = {
  readonly node: {
    readonly name: string;
    readonly state: NodeState;
    /** What it waits for, or why it is excluded, in words. */
    readonly reason: string | undefined;
    readonly member: MemberId | undefined;
    readonly incarnation: number | undefined;
    readonly role: 'leader' | 'follower' | 'pre-candidate' | 'candidate' | undefined;
    readonly isVoter: boolean;
  };
  readonly clusterId: string | undefined;
  readonly epoch: Epoch;
  readonly leader: { readonly member: MemberId; readonly name: string } | undefined;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly quorum: QuorumStatus;
  readonly members: {
    readonly total: number;
    readonly alive: number;
    readonly suspect: number;
    readonly dead: number;
  };
};

/** Whether the topology can be changed, as far as this node can tell. */
export type QuorumStatus = {
  /** `degraded`: a voter is missing; `lost`: no majority, or no leader for longer than an election takes. */
  readonly state: 'ok' | 'degraded' | 'lost' | 'none';
  readonly voters: readonly {
    readonly member: MemberId;
    readonly name: string;
    readonly liveness: Liveness;
  }[];
  readonly needed: number;
  /** Names of the voters that are not alive. */
  readonly missing: readonly string[];
  /** In words, where it is not `ok`. */
  readonly reason: string | undefined;
};

export type MemberView = Member & {
  readonly liveness: Liveness;
  /** The address that it was last reached at; differs from the topology's until a new one is registered. */
  readonly address: string;
  readonly appliedEpoch: Epoch;
  /** 0 to 1: how busy it says that it is. */
  readonly load: number;
  readonly isVoter: boolean;
  readonly isLeader: boolean;
};

/** Of one epoch of the topology. */
export type OperationList = { readonly epoch: Epoch; readonly operations: readonly OperationView[] };

/** `id` as in `drain-17`; `member` is its name, or `member-N` where its number was retired. */
export type OperationView = Omit<OperationStatus, 'id' | 'name' | 'member'> & {
  readonly id: string;
  readonly member: string | undefined;
} & Partial<Progress>;

export type ClusterErrorCode =
  | TopologyRefusalCode
  /** This node is of no cluster yet. */
  | 'CLUSTER_WAITING'
  /** It is of one already, and not of the one asked for; or it has begun to join one. */
  | 'ALREADY_BOOTSTRAPPED'
  /** There is no leader that this node can reach: nothing was changed. */
  | 'NO_LEADER'
  /** A change was sent and its outcome was not learned in time: it may have been done, or may be done yet. */
  | 'OUTCOME_UNKNOWN'
  | 'TRANSFER_REFUSED'
  /** The disks of the members could not take what an operation would bring. */
  | 'NO_SPACE'
  /** This node was removed or replaced, or its directory is too old. */
  | 'MEMBER_EXCLUDED'
  | 'CLUSTER_FORMING';

export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function noRead(reason: string): ClusterError {
  return new ClusterError(
    'NO_LEADER',
    `the topology could not be read as of now (${reason}); consistency=local answers with what this node has applied`,
  );
}
