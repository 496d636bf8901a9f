import type { MemberId } from '../../core/raft/types.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import type { ReplicaRefusalCode, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { NamespaceStates } from '../../storage/namespaces.ts';
import type { ReplicaCall } from '../types.ts';
import type { PartitionState } from './partition-state.ts';
import type { ReplicaTopology } from './replica-options.ts';
import { refused, refusedBy, replyOf } from './reply.ts';
import { Waiters } from './waiters.ts';

export type GateDeps = {
  readonly partitions: readonly PartitionState[];
  readonly namespaces: NamespaceStates;
  readonly topology: ReplicaTopology;
  storageFailure(): Error | undefined;
};

type Verdict =
  | { readonly type: 'pass' }
  | { readonly type: 'refused'; readonly code: ReplicaRefusalCode; readonly message: string }
  /** The topology must reach `epoch`. */
  | { readonly type: 'behind'; readonly epoch: Epoch }
  /** An epoch must become durable, or a namespace known. */
  | { readonly type: 'unsettled'; readonly message: string };

/**
 * The fence (docs/replication.md): lets a request pass only under the epoch that it names, as an owner, in a namespace that
 * is served. It is asked in the very turn in which a write is issued or a read is answered.
 */
export class Gate {
  readonly #self: MemberId;
  readonly #deps: GateDeps;
  readonly #settling = new Waiters();
  #isStopping = false;
  #outReason: string | undefined;

  constructor(options: { readonly self: MemberId }, deps: GateDeps) {
    this.#self = options.self;
    this.#deps = deps;
  }

  get outReason(): string | undefined {
    return this.#outReason;
  }

  get isClosed(): boolean {
    return this.#isStopping || this.#outReason !== undefined || this.#deps.storageFailure() !== undefined;
  }

  /** The partition, where the request may be served now. */
  enter(request: ReplicaRequest): PartitionState | undefined {
    const partition = this.#deps.partitions[request.partition];
    if (partition === undefined || request.to !== this.#self || this.isClosed) return undefined;
    if (partition.epoch !== request.epoch || !partition.isServing) return undefined;
    return this.#deps.namespaces.stateOf(request.namespaceId) === 'served' ? partition : undefined;
  }

  /** Whose records nobody may ask for any more. */
  isDropped(namespaceId: number): boolean {
    return this.#deps.namespaces.stateOf(namespaceId) === 'dropped';
  }

  /** Of a request that may not enter: answers why, or waits for what is missing and calls `again`. */
  hold(call: ReplicaCall, again: (call: ReplicaCall) => void): void {
    const verdict = this.#judge(call.request);
    switch (verdict.type) {
      case 'pass':
        again(call);
        return;
      case 'refused':
        this.#refuse(call, verdict.code, verdict.message);
        return;
      case 'behind':
        this.#awaitTopology(call, verdict.epoch, again);
        return;
      case 'unsettled':
        void this.#settling.wait(call.signal).then((isWoken) => {
          if (isWoken) again(call);
          else this.#refuse(call, 'EPOCH_UNKNOWN', verdict.message);
        });
    }
  }

  /** Something that requests may wait for has changed. */
  wake(): void {
    this.#settling.wake();
  }

  takeOut(reason: string): void {
    this.#outReason ??= reason;
    this.wake();
  }

  stop(): void {
    this.#isStopping = true;
    this.wake();
  }

  #judge(request: ReplicaRequest): Verdict {
    const partition = this.#deps.partitions[request.partition];
    const failure = this.#deps.storageFailure();
    if (request.to !== this.#self)
      return refusal('WRONG_MEMBER', `this is member ${this.#self}, not ${request.to}`);
    if (this.#isStopping) return refusal('STOPPING', 'the node stops');
    if (failure !== undefined) return { type: 'refused', ...refusedBodyOf(failure) };
    if (this.#outReason !== undefined) return refusal('REPLICA_OUT', this.#outReason);
    if (partition === undefined) return refusal('NOT_OWNER', `there is no partition ${request.partition}`);
    return this.#judgeEpoch(partition, request) ?? this.#judgeNamespace(request.namespaceId);
  }

  #judgeEpoch(partition: PartitionState, { epoch }: ReplicaRequest): Verdict | undefined {
    if (epoch < partition.epoch)
      return refusal('STALE_EPOCH', `partition ${partition.number} is at epoch ${partition.epoch}`);
    if (epoch > partition.epoch || !partition.isCurrent) return { type: 'behind', epoch };
    if (!partition.isOwner)
      return refusal('NOT_OWNER', `member ${this.#self} is no replica of partition ${partition.number}`);
    if (partition.outReason !== undefined) return refusal('REPLICA_OUT', partition.outReason);
    if (!partition.hasEntered)
      return refusal('EPOCH_UNKNOWN', `partition ${partition.number} has not been entered here yet`);
    if (!partition.isServing)
      return {
        type: 'unsettled',
        message: `epoch ${epoch} of partition ${partition.number} is not durable yet`,
      };
    return undefined;
  }

  #judgeNamespace(id: number): Verdict {
    switch (this.#deps.namespaces.stateOf(id)) {
      case 'served':
        return { type: 'pass' };
      case 'dropped':
        return refusal('NAMESPACE_NOT_FOUND', `the namespace with the id ${id} was dropped`);
      case 'unknown':
        return { type: 'unsettled', message: `the namespace with the id ${id} is not known here yet` };
    }
  }

  #awaitTopology(call: ReplicaCall, epoch: Epoch, again: (call: ReplicaCall) => void): void {
    this.#deps.topology.waitForEpoch(epoch, call.signal).then(
      (isReached) => {
        // The topology has got there and the partition has not: whoever asked claims an epoch that is none.
        const isStillBehind = this.#judge(call.request).type === 'behind';
        if (isReached && !isStillBehind) again(call);
        else
          this.#refuse(
            call,
            'EPOCH_UNKNOWN',
            `the topology here does not know epoch ${epoch} of the partition`,
          );
      },
      (error: unknown) => this.#refuse(call, 'EPOCH_UNKNOWN', String(error)),
    );
  }

  #refuse(call: ReplicaCall, code: ReplicaRefusalCode, message: string): void {
    const epoch = this.#deps.partitions[call.request.partition]?.epoch ?? toEpoch(0);
    call.done(replyOf(this.#self, epoch, refused(code, message)));
  }
}

function refusal(code: ReplicaRefusalCode, message: string): Verdict {
  return { type: 'refused', code, message };
}

function refusedBodyOf(failure: Error): { readonly code: ReplicaRefusalCode; readonly message: string } {
  const body = refusedBy(failure);
  return body.type === 'refused' ? body : { code: 'STORAGE_FAILED', message: failure.message };
}
