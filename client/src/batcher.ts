import { batchResults, errorOf } from './batch.ts';
import { BatchQueue, type Item, type QueueLimits } from './batch-queue.ts';
import { type Bytes, checkedKey } from './bytes.ts';
import { ExchangeError } from './connections.ts';
import { Deadline } from './deadline.ts';
import { KvorumProtocolError, KvorumResponseError } from './errors.ts';
import { toKvorumError } from './failure.ts';
import { getRequest, storedIn } from './keys.ts';
import { type ReadOptions, takesTime, type WriteOptions } from './levels.ts';
import type { NodeHandle } from './node-handle.ts';
import { batchRequest } from './ranges.ts';
import type { Transport } from './transport.ts';
import type { BatchOperation, BatchResult, BatchSuccess, StoredValue, Written } from './types.ts';
import { jsonOf } from './wire.ts';

/** How single operations wait for each other, to go to a node in one request. */
export type BatchingOptions = {
  /** Operations in a request, 1..1000. Default 100. */
  readonly maxOperations?: number;
  /** Milliseconds that the first one waits for others; 0: for those of the same turn of the event loop. Default 1. */
  readonly maxDelayMs?: number;
};

const OPERATIONS_MAX = 1000;
/** Larger values gain nothing by going together, and would make the others wait. */
const VALUE_BYTES_MAX = 1 << 16;
/** The callers' own deadlines come first. */
const SLACK_MS = 100;
/** Refusals of a request as a whole that may be the fault of one operation. Not 404: the namespace is everybody's. */
const SPOILED_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * Puts concurrent single operations into one request per node. Reads and writes go apart: a read does not wait for a
 * disk, and what may be repeated differs. Each caller has its own outcome, deadline, signal and repetitions.
 */
export class Batcher {
  readonly #transport: Transport;
  readonly #limits: QueueLimits;
  readonly #queues = new Map<string, BatchQueue>();

  constructor({ maxOperations = 100, maxDelayMs = 1 }: BatchingOptions, transport: Transport) {
    if (!(Number.isInteger(maxOperations) && maxOperations >= 1 && maxOperations <= OPERATIONS_MAX))
      throw new RangeError(`maxOperations is ${maxOperations}, not 1..${OPERATIONS_MAX}`);
    if (!(maxDelayMs >= 0 && maxDelayMs <= 1000))
      throw new RangeError(`maxDelayMs is ${maxDelayMs}, not 0..1000`);
    this.#limits = { maxOperations, maxDelayMs };
    this.#transport = transport;
  }

  /** An idempotent write goes alone: its key would stand for everything in the request. */
  takes(options: WriteOptions, valueBytes = 0): boolean {
    return options.idempotent !== true && valueBytes <= VALUE_BYTES_MAX;
  }

  /** A put or a delete. Throws what a single call throws. */
  async write(namespace: string, operation: BatchOperation, options: WriteOptions): Promise<Written> {
    const key = checkedKey(operation.key);
    const done = await this.#transport.perform({ isRead: false, key }, options, async (node, deadline) =>
      successOf(await this.#attempt(node, namespace, operation, options, deadline)),
    );
    return writtenOf(done);
  }

  get(namespace: string, key: Bytes, options: ReadOptions): Promise<StoredValue | undefined> {
    const single = getRequest(namespace, key, options);
    const operation: BatchOperation = { op: 'get', key };
    return this.#transport.perform(single, options, async (node, deadline) => {
      const result = await this.#attempt(node, namespace, operation, options, deadline);
      // The answers together were too large: this one is asked for by itself.
      const isCutOff = !result.ok && result.code === 'BATCH_TOO_LARGE';
      if (isCutOff) return storedIn(await this.#transport.send(node, single, deadline));
      return storedOf(successOf(result));
    });
  }

  #attempt(
    node: NodeHandle,
    namespace: string,
    operation: BatchOperation,
    options: WriteOptions,
    deadline: Deadline,
  ): Promise<BatchResult> {
    return new Promise((resolve, reject) => {
      const item: Item = { operation, deadline, resolve, reject, isSent: false, isGone: false };
      const giveUp = (): void => {
        item.isGone = true;
        reject(lateError(item, node));
      };
      deadline.signal.addEventListener('abort', giveUp, { once: true });
      if (deadline.signal.aborted) giveUp();
      else this.#queueOf(node, namespace, operation.op === 'get', options).add(item);
    });
  }

  #queueOf(node: NodeHandle, namespace: string, isRead: boolean, options: WriteOptions): BatchQueue {
    const { origin, pathPrefix } = node.address;
    const { r, w, timeoutMs, serverTimeoutMs } = options;
    const common = definedOf({ r, w, timeoutMs, serverTimeoutMs });
    const name = [origin + pathPrefix, namespace, isRead, r, w, serverTimeoutMs, takesTime(options)].join(
      ' ',
    );
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new BatchQueue(this.#limits, (items) => {
      this.#queues.delete(name); // a queue lives from its first operation to its request
      void this.#send(node, namespace, common, items);
    });
    this.#queues.set(name, queue);
    return queue;
  }

  /** Settles all of `items`; never rejects. */
  async #send(
    node: NodeHandle,
    namespace: string,
    common: WriteOptions,
    items: readonly Item[],
  ): Promise<void> {
    if (items.length === 0) return;
    try {
      const results = await this.#exchange(node, namespace, common, items);
      for (const [i, item] of items.entries()) item.resolve(results[i]!);
    } catch (error) {
      if (items.length > 1 && isSpoiled(error)) {
        await Promise.all(items.map((item) => this.#send(node, namespace, common, [item])));
        return;
      }
      for (const item of items) item.reject(error);
    }
  }

  async #exchange(
    node: NodeHandle,
    namespace: string,
    common: WriteOptions,
    items: readonly Item[],
  ): Promise<BatchResult[]> {
    const operations = items.map(({ operation }) => operation);
    const leftMs = Math.max(...items.map(({ deadline }) => deadline.remainingMs));
    const nobodyWaits = new AbortController();
    for (const item of items) {
      item.isSent = true;
      const look = (): void => {
        if (items.every(({ isGone }) => isGone)) nobodyWaits.abort();
      };
      item.deadline.signal.addEventListener('abort', look, { once: true });
    }
    using deadline = new Deadline(Math.max(1, leftMs) + SLACK_MS, nobodyWaits.signal);
    const request = batchRequest(namespace, operations, common);
    return batchResults(operations, jsonOf(await this.#transport.send(node, request, deadline)));
  }
}

/** The caller's own reason, or that its time is over. */
function lateError({ operation, deadline, isSent }: Item, node: NodeHandle): unknown {
  const error = new ExchangeError(new Error('the batch was not answered'), isSent ? 'unknown' : 'no');
  try {
    return toKvorumError({ error, origin: node.address.origin, isRead: operation.op === 'get', deadline });
  } catch (reason) {
    return reason;
  }
}

/** What the operations of a request have in common; of `timeoutMs` it is only that each of them has one. */
function definedOf(
  options: { [Name in 'r' | 'w' | 'timeoutMs' | 'serverTimeoutMs']: WriteOptions[Name] | undefined },
): WriteOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function isSpoiled(error: unknown): boolean {
  return error instanceof KvorumResponseError && SPOILED_STATUSES.has(error.status);
}

function successOf(result: BatchResult): BatchSuccess {
  if (result.ok) return result;
  throw errorOf(result);
}

function writtenOf({ version, expiresAt }: BatchSuccess): Written {
  if (version === undefined) throw new KvorumProtocolError('a write of the answer has no version');
  return { version, expiresAt };
}

function storedOf({ version, value, contentType, expiresAt }: BatchSuccess): StoredValue | undefined {
  if (version === undefined || value === undefined) return undefined;
  return { version, value, contentType, expiresAt };
}
