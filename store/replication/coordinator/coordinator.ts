import type { Level } from '../../core/quorum/quorum-sizes.ts';
import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import type { WriteLevels } from '../../core/quorum/write-decision.ts';
import { partitionOf } from '../../core/ring/slot.ts';
import type { Version } from '../../core/version/version.ts';
import type { ReplicaSaid } from '../../storage/kv-store.ts';
import type { StoredRecord } from '../../storage/record.ts';
import type { CoordinatorContext, CoordinatorDeps, CoordinatorOptions } from './context.ts';
import { Deadlines } from './deadlines.ts';
import { LatencyTracker } from './latency.ts';
import { type ReadEnd, runRead } from './read.ts';
import { Runs } from './run.ts';
import { runWrite, type WriteEnd } from './write.ts';

/** What reads and writes have in common; `deadlineMs` is of the monotonic clock. */
export type KeyRequest = {
  readonly namespaceId: number;
  readonly key: Uint8Array;
  readonly deadlineMs: number;
  readonly onReplicas: ((replicas: readonly ReplicaSaid[]) => void) | undefined;
};

export type KeyWrite = KeyRequest & {
  readonly record: Omit<StoredRecord, 'version'>;
  readonly levels: WriteLevels;
  readonly stampedBefore: Version | undefined;
};

/** Reads and writes single keys on their replicas. */
export class Coordinator {
  readonly #context: CoordinatorContext;
  readonly #forget: () => void;

  constructor(options: CoordinatorOptions, deps: CoordinatorDeps) {
    const runs = new Runs();
    const deadlines = new Deadlines(deps.clock);
    this.#context = { ...deps, options, deadlines, latency: new LatencyTracker(), runs };
    this.#forget = deps.routing.onChange(() => runs.followAll());
  }

  get deadlines(): Deadlines {
    return this.#context.deadlines;
  }

  /** Requests under way. */
  get inFlight(): number {
    return this.#context.runs.size;
  }

  /** `onEnd` is called once, perhaps before this returns. Throws what `unplaced` gives while nobody owns the key. */
  read(request: KeyRequest & { readonly level: Level }, onEnd: (end: ReadEnd) => void): void {
    const partition = this.#partitionOf(request.key);
    runRead(this.#context, this.#viewOf(partition), { ...request, partition }, onEnd);
  }

  /** As `read`. */
  write(request: KeyWrite, onEnd: (end: WriteEnd) => void): void {
    const partition = this.#partitionOf(request.key);
    runWrite(this.#context, this.#viewOf(partition), { ...request, partition }, onEnd);
  }

  /** Requests that are still under way end now, as at their deadline; so do those that come later. */
  stop(): void {
    this.#forget();
    this.#context.deadlines.stop();
  }

  #partitionOf(key: Uint8Array): number {
    return partitionOf(key, this.#context.routing.partitions);
  }

  #viewOf(partition: number): PartitionView {
    const view = this.#context.routing.viewOf(partition);
    if (view === undefined) throw this.#context.unplaced();
    return view;
  }
}
