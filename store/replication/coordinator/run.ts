import { DenseSet, NO_PLACE, type Placed } from '../../core/dense-set/dense-set.ts';
import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch } from '../../core/topology/types.ts';
import type { ReplicaReply, ReplicaRequestBody } from '../../peer/replica-messages.ts';
import type { ReplicaOutcome } from '../types.ts';
import type { CoordinatorContext } from './context.ts';
import type { Deadline } from './deadlines.ts';

/** Where a request goes, and until when it may take; `deadlineMs` is of the monotonic clock. */
export type RunTarget = {
  readonly partition: number;
  readonly namespaceId: number;
  readonly key: Uint8Array;
  readonly deadlineMs: number;
};

/**
 * A request under way: it feeds a decision of `core/quorum` with what replicas say and does what its verdict asks for. It
 * lives in callbacks, without promises of its own: they would be most of its cost.
 */
export abstract class Run implements Placed {
  /** Only `Runs` writes it. */
  place = NO_PLACE;
  protected readonly context: CoordinatorContext;
  protected readonly target: RunTarget;
  protected isEnded = false;
  readonly #beganMs: number;
  readonly #deadline: Deadline;
  #isStepping = false;
  #mustLook = false;
  /** Ends the wait for an epoch. */
  #waiting: AbortController | undefined;

  constructor(context: CoordinatorContext, target: RunTarget) {
    this.context = context;
    this.target = target;
    this.#beganMs = context.clock.monotonicMs();
    this.#deadline = context.deadlines.set(target.deadlineMs, () => this.expire());
    context.runs.add(this);
  }

  /** The newest epoch that the partition has here, for a request of an older one. */
  follow(): void {
    const view = this.context.routing.viewOf(this.target.partition);
    if (this.isEnded || view === undefined || view.epoch <= this.view.epoch) return;
    this.learn(view.epoch);
    this.look();
  }

  protected abstract get view(): PartitionView;
  protected abstract learn(epoch: Epoch): void;
  /** Does what the verdict says. */
  protected abstract step(): void;
  /** The deadline has come. */
  protected abstract expire(): void;
  protected abstract restart(view: PartitionView): void;
  /** The topology says nothing of an epoch that a replica named. */
  protected abstract giveUp(): void;

  /** Looks at the verdict; once more for each time that it was called meanwhile: a replica may answer in the same turn. */
  protected look(): void {
    this.#mustLook = true;
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      while (this.#mustLook && !this.isEnded) {
        this.#mustLook = false;
        this.step();
      }
    } finally {
      this.#isStepping = false;
    }
  }

  protected send(member: MemberId, body: ReplicaRequestBody, onEnd: (outcome: ReplicaOutcome) => void): void {
    const { partition, namespaceId, key, deadlineMs } = this.target;
    const timeoutMs = Math.max(1, Math.ceil(deadlineMs - this.context.clock.monotonicMs()));
    const { epoch } = this.view;
    this.context.askReplica({ to: member, partition, epoch, namespaceId, key, body }, { timeoutMs }, onEnd);
  }

  /** Begins again under `epoch` or a newer one, as soon as it is known here. */
  protected beginAgain(epoch: Epoch): void {
    if (this.#waiting !== undefined) return;
    const view = this.context.routing.viewOf(this.target.partition);
    if (view === undefined || view.epoch < epoch) {
      this.#waitFor(epoch);
      return;
    }
    this.context.events.onRestart();
    this.restart(view);
    this.look();
  }

  protected end(): void {
    this.isEnded = true;
    this.#deadline.cancel();
    this.#waiting?.abort();
    this.context.runs.delete(this);
  }

  protected secondsSoFar(): number {
    return (this.context.clock.monotonicMs() - this.#beganMs) / 1000;
  }

  /** At the deadline replicas are silent; whose request timed out a moment before it is no different. */
  protected isTimeUp(outcome: ReplicaOutcome): boolean {
    const isTimeout = outcome.type === 'unreachable' && outcome.code === 'TIMEOUT';
    return isTimeout && this.context.clock.monotonicMs() >= this.target.deadlineMs - 1;
  }

  #waitFor(epoch: Epoch): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    const known = (isKnown: boolean): void => {
      this.#waiting = undefined;
      if (this.isEnded) return;
      const view = this.context.routing.viewOf(this.target.partition);
      if (isKnown && view !== undefined && view.epoch >= epoch) this.look();
      else if (isKnown) this.giveUp();
    };
    this.context.routing.waitForEpoch(epoch, waiting.signal).then(known, () => known(true));
  }
}

/** The requests under way: they learn of a new epoch in the turn in which this member does. */
export class Runs {
  readonly #runs = new DenseSet<Run>();

  get size(): number {
    return this.#runs.size;
  }

  add(run: Run): void {
    this.#runs.add(run);
  }

  delete(run: Run): void {
    this.#runs.delete(run);
  }

  followAll(): void {
    for (const run of [...this.#runs]) run.follow();
  }
}

/**
 * The epoch that an answer counts under. A refusal proves that the member did nothing, also where it lags behind the
 * request; then it is an answer to that.
 */
export function epochOf(reply: ReplicaReply, asked: Epoch): Epoch {
  return reply.body.type === 'refused' && reply.epoch < asked ? asked : reply.epoch;
}
