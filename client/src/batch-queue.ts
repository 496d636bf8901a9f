import type { Deadline } from './deadline.ts';
import type { BatchOperation, BatchResult } from './types.ts';

/** One operation of one caller, on its way. */
export type Item = {
  readonly operation: BatchOperation;
  readonly deadline: Deadline;
  resolve(result: BatchResult): void;
  reject(error: unknown): void;
  /** Its request is under way: from here its outcome is unknown until there is an answer. */
  isSent: boolean;
  /** Its caller waits no longer. */
  isGone: boolean;
};

export type QueueLimits = { readonly maxOperations: number; readonly maxDelayMs: number };

/** In JSON; a request must stay below the 16 MiB that a node takes. */
const REQUEST_BYTES_MAX = 1 << 20;
const OPERATION_BYTES = 100;

/** Operations that wait to go together: until they are many, or large, or the first has waited long enough. */
export class BatchQueue {
  readonly #limits: QueueLimits;
  readonly #send: (items: readonly Item[]) => void;
  #items: Item[] = [];
  #bytes = 0;
  #cancel: (() => void) | undefined;

  constructor(limits: QueueLimits, send: (items: readonly Item[]) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#bytes += bytesOf(item.operation);
    const isFull = this.#items.length >= this.#limits.maxOperations || this.#bytes >= REQUEST_BYTES_MAX;
    if (isFull) this.#flush();
    else this.#cancel ??= this.#flushLater();
  }

  #flushLater(): () => void {
    const { maxDelayMs } = this.#limits;
    const flush = (): void => this.#flush();
    if (maxDelayMs === 0) {
      const immediate = setImmediate(flush);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(flush, maxDelayMs);
    return () => clearTimeout(timer);
  }

  #flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const items = this.#items.filter(({ isGone }) => !isGone);
    this.#items = [];
    this.#bytes = 0;
    this.#send(items);
  }
}

function bytesOf(operation: BatchOperation): number {
  const valueBytes = operation.op === 'put' ? operation.value.length : 0;
  return OPERATION_BYTES + Math.ceil(((operation.key.length + valueBytes) * 4) / 3);
}
