import { Worker } from 'node:worker_threads';
import { EngineFailedError, type EntriesRead, type KeyRange } from '../../storage/engine.ts';

export type WorkerSetup = { readonly handle: bigint };

/** Answered with a buffer. */
export type BufferRequest =
  | {
      readonly type: 'write';
      readonly buffer: ArrayBuffer;
      readonly operations: number;
      readonly sync: boolean;
    }
  | {
      readonly type: 'read';
      readonly buffer: ArrayBuffer;
      readonly count: number;
      readonly answerBytesMax: number;
    };

/** Answered with entries, step by step: other requests are answered in between. */
export type EntriesRequest = {
  readonly type: 'read-entries';
  readonly range: KeyRange;
  readonly bytesMax: number;
};

/** `id` ties a reply to its request. */
export type WorkerRequest = (BufferRequest | EntriesRequest) & { readonly id: number };

export type WorkerAnswer = ArrayBuffer | EntriesRead;

export type WorkerReply =
  | { readonly type: 'done'; readonly id: number; readonly answer: WorkerAnswer }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly message: string;
      readonly code: string | undefined;
    };

type Asker = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void };

/** A worker thread that answers requests. When it dies, what is asked of it rejects. */
export class WorkerChannel {
  readonly #worker: Worker;
  readonly #askers = new Map<number, Asker>();
  #lastId = 0;
  #death: EngineFailedError | undefined;

  constructor(setup: WorkerSetup) {
    this.#worker = new Worker(new URL('./rocksdb-worker.ts', import.meta.url), { workerData: setup });
    this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#die(error as Error));
    this.#worker.on('exit', () => this.#die(new Error('it exited')));
  }

  /** The request's buffer is transferred: it cannot be used afterwards. */
  ask(request: BufferRequest): Promise<ArrayBuffer> {
    return this.#ask(request, [request.buffer]);
  }

  readEntries(range: KeyRange, bytesMax: number): Promise<EntriesRead> {
    return this.#ask({ type: 'read-entries', range, bytesMax }, []);
  }

  /** Ends the thread; nothing may be under way. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask<T extends WorkerAnswer>(
    request: BufferRequest | EntriesRequest,
    transferred: ArrayBuffer[],
  ): Promise<T> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    return new Promise<T>((resolve, reject) => {
      this.#lastId += 1;
      this.#askers.set(this.#lastId, { resolve, reject });
      this.#worker.postMessage({ ...request, id: this.#lastId } satisfies WorkerRequest, transferred);
    });
  }

  #settle(reply: WorkerReply): void {
    const asker = this.#askers.get(reply.id);
    this.#askers.delete(reply.id);
    if (reply.type === 'done') asker?.resolve(reply.answer as never);
    else asker?.reject(Object.assign(new Error(reply.message), { code: reply.code }));
  }

  #die(error: Error): void {
    this.#death ??= new EngineFailedError(`a storage thread ended: ${error.message}`, { cause: error });
    for (const asker of this.#askers.values()) asker.reject(this.#death);
    this.#askers.clear();
  }
}
