import { Worker } from 'node:worker_threads';
import { EngineFailedError } from '../../storage/engine.ts';

export type WorkerSetup = { readonly handle: bigint };

export type WorkerRequest =
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

export type WorkerReply =
  | { readonly type: 'done'; readonly buffer: ArrayBuffer }
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined };

type Asker = { readonly resolve: (buffer: ArrayBuffer) => void; readonly reject: (error: Error) => void };

/** A worker thread that answers one request at a time. When it dies, what is asked of it rejects. */
export class WorkerChannel {
  readonly #worker: Worker;
  #asker: Asker | undefined;
  #death: EngineFailedError | undefined;

  constructor(setup: WorkerSetup) {
    this.#worker = new Worker(new URL('./rocksdb-worker.ts', import.meta.url), { workerData: setup });
    this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#die(error as Error));
    this.#worker.on('exit', () => this.#die(new Error('it exited')));
  }

  /** The request's buffer is transferred: it cannot be used afterwards. */
  ask(request: WorkerRequest): Promise<ArrayBuffer> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    return new Promise((resolve, reject) => {
      this.#asker = { resolve, reject };
      this.#worker.postMessage(request, [request.buffer]);
    });
  }

  /** Ends the thread; nothing may be under way. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: WorkerReply): void {
    const asker = this.#asker;
    this.#asker = undefined;
    if (reply.type === 'done') asker?.resolve(reply.buffer);
    else asker?.reject(Object.assign(new Error(reply.message), { code: reply.code }));
  }

  #die(error: Error): void {
    this.#death ??= new EngineFailedError(`a storage thread ended: ${error.message}`, { cause: error });
    this.#asker?.reject(this.#death);
    this.#asker = undefined;
  }
}
