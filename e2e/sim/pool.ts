import { Worker } from 'node:worker_threads';
import type { Result, Task } from './protocol.ts';

type Thread = { readonly worker: Worker; finish: ((result: Result) => void) | undefined };

/** Threads that each do one task at a time. Which one does a task makes no difference to its result. */
export class Pool implements Disposable {
  readonly #threads: Thread[];
  readonly #idle: Thread[];
  readonly #waiting: ((thread: Thread) => void)[] = [];

  constructor(size: number, mutant?: string) {
    this.#threads = Array.from({ length: size }, () => createThread(mutant));
    this.#idle = [...this.#threads];
  }

  async do(task: Task): Promise<Result> {
    const thread = this.#idle.pop() ?? (await new Promise<Thread>((resolve) => this.#waiting.push(resolve)));
    try {
      return await perform(thread, task);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }

  [Symbol.dispose](): void {
    for (const { worker } of this.#threads) void worker.terminate();
  }
}

function createThread(mutant: string | undefined): Thread {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { mutant } });
  const thread: Thread = { worker, finish: undefined };
  worker.on('message', (result: Result) => thread.finish?.(result));
  return thread;
}

function perform(thread: Thread, task: Task): Promise<Result> {
  return new Promise((resolve, reject) => {
    thread.worker.once('error', reject);
    thread.finish = (result) => {
      thread.worker.off('error', reject);
      resolve(result);
    };
    thread.worker.postMessage(task);
  });
}
