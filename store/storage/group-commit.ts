import { compareBytes } from '../core/bytes/bytes.ts';
import {
  EngineClosedError,
  EngineFailedError,
  type EngineOperation,
  type OnWritten,
  type WriteOptions,
  written,
} from './engine.ts';

/**
 * Group commit (DeWitt et al. 1984): while one group is on its way to the disk, later writes queue up and become
 * the next group, so that many writers share one fsync. At most one group is under way, groups are taken in the
 * order of the calls, and the first that fails ends the engine: it and every later write reject.
 */
export type WriteGroup = {
  readonly batches: readonly (readonly EngineOperation[])[];
  readonly operations: number;
  /** Encoded size: keys, values and OPERATION_BYTES for each operation. */
  readonly bytes: number;
  /** Whether any writer of the group asked for stable storage; then all of it must reach it. */
  readonly sync: boolean;
};

export type GroupCommitOptions = {
  /** A group takes no further write once it is this large; a single larger write is a group of its own. */
  readonly groupBytesMax: number;
};

export type GroupCommitDeps = {
  /** Applies the batches of the group in order, each all or nothing. Called for one group at a time. */
  commit(group: WriteGroup): Promise<void>;
  /** Calls `flush` soon, after what else runs in this turn: those writes share the group. */
  defer(flush: () => void): void;
  monotonicMs(): number;
  readonly onCommit?: CommitObserver;
};

/** Told of each group that reached the disk, and how long that took. */
export type CommitObserver = (group: WriteGroup, seconds: number) => void;

/** What an operation takes beside its key and value. */
export const OPERATION_BYTES = 9;

type Waiting = {
  readonly batch: readonly EngineOperation[];
  readonly bytes: number;
  readonly sync: boolean;
  readonly onEnd: OnWritten;
};

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #deps: GroupCommitDeps;
  #queue: Waiting[] = [];
  /** A group is under way, or about to be taken. */
  #isBusy = false;
  #isClosed = false;
  #failure: EngineFailedError | undefined;
  #idle: (() => void)[] = [];

  constructor(options: GroupCommitOptions, deps: GroupCommitDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  write(batch: readonly EngineOperation[], options: WriteOptions): Promise<void> {
    return written((onEnd) => this.submit(batch, options, onEnd));
  }

  /** As `Engine.submit`. */
  submit(batch: readonly EngineOperation[], { sync }: WriteOptions, onEnd: OnWritten): void {
    const refusal = this.#refusalOf(batch);
    if (refusal !== undefined) {
      queueMicrotask(() => onEnd(refusal));
      return;
    }
    this.#queue.push({ batch, bytes: bytesOf(batch), sync, onEnd });
    this.#schedule();
  }

  /** Refuses further writes; resolves when those that were accepted are settled. */
  close(): Promise<void> {
    this.#isClosed = true;
    if (!this.#isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #refusalOf(batch: readonly EngineOperation[]): Error | undefined {
    if (this.#isClosed) return new EngineClosedError();
    if (this.#failure !== undefined) return this.#failure;
    const wrong = problemOf(batch);
    return wrong === undefined ? undefined : new TypeError(wrong);
  }

  #schedule(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#deps.defer(() => void this.#commitNext());
  }

  async #commitNext(): Promise<void> {
    const taken = this.#takeGroup();
    try {
      const group = groupOf(taken);
      const startMs = this.#deps.monotonicMs();
      await this.#deps.commit(group);
      this.#deps.onCommit?.(group, (this.#deps.monotonicMs() - startMs) / 1000);
    } catch (cause) {
      this.#fail(taken, cause);
      taken.length = 0;
    }
    for (const { onEnd } of taken) onEnd(undefined);
    this.#isBusy = false;
    if (this.#queue.length > 0) this.#schedule();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      const isFull = bytes + waiting.bytes > this.#options.groupBytesMax;
      if (count > 0 && (isFull || isRangeDelete(waiting))) break;
      bytes += waiting.bytes;
      count += 1;
      if (isRangeDelete(waiting)) break;
    }
    return this.#queue.splice(0, count);
  }

  #fail(taken: readonly Waiting[], cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new EngineFailedError(`a write failed: ${reason}`, { cause });
    for (const { onEnd } of [...taken, ...this.#queue.splice(0)]) onEnd(this.#failure);
  }
}

function groupOf(taken: readonly Waiting[]): WriteGroup {
  let operations = 0;
  let bytes = 0;
  let sync = false;
  for (const waiting of taken) {
    operations += waiting.batch.length;
    bytes += waiting.bytes;
    sync ||= waiting.sync;
  }
  return { batches: taken.map((waiting) => waiting.batch), operations, bytes, sync };
}

function isRangeDelete(waiting: Waiting): boolean {
  return waiting.batch[0]?.type === 'delete-range';
}

function bytesOf(batch: readonly EngineOperation[]): number {
  let bytes = 0;
  for (const operation of batch) bytes += operationBytes(operation);
  return bytes;
}

export function operationBytes(operation: EngineOperation): number {
  switch (operation.type) {
    case 'put':
      return OPERATION_BYTES + operation.key.length + operation.value.length;
    case 'put-entries':
      return OPERATION_BYTES + operation.entries.bytes.length;
    case 'delete':
      return OPERATION_BYTES + operation.key.length;
    case 'delete-range':
      return OPERATION_BYTES + operation.start.length + operation.end.length;
  }
}

function problemOf(batch: readonly EngineOperation[]): string | undefined {
  if (batch.length === 0) return 'a batch has at least one operation';
  for (const operation of batch) {
    if (operation.type === 'delete-range') {
      if (batch.length > 1) return 'a delete-range stands alone in its batch';
      if (compareBytes(operation.start, operation.end) >= 0)
        return 'the start of a delete-range is below its end';
    } else if (operation.type === 'put-entries') {
      if (operation.entries.count === 0) return 'entries to put are at least one';
    } else if (operation.key.length === 0) return 'a key has at least one byte';
  }
  return undefined;
}
