import { Worker } from 'node:worker_threads';

/** Requests, or their answers, that cross between two threads in one message; the buffer is transferred. */
export type HopMessage = { readonly count: number; readonly buffer: ArrayBuffer };

export type Hops = {
  readonly requests: number;
  /** Processor time of the thread that asks, and of all threads of the process. */
  readonly askerSeconds: number;
  readonly allSeconds: number;
  readonly p50Us: number;
};

/** A second thread, and batches of requests that go to it and come back, one batch at a time. */
export class ThreadHop {
  readonly #worker: Worker;
  #onAnswer: (message: HopMessage) => void = () => {};

  constructor() {
    this.#worker = new Worker(new URL('./hop-worker.ts', import.meta.url));
    this.#worker.on('message', (message: HopMessage) => this.#onAnswer(message));
  }

  /** `batch` requests of `bytes` each go together, and come back before the next ones go. */
  async load(batch: number, bytes: number, seconds: number): Promise<Hops> {
    let buffer = new ArrayBuffer(batch * bytes);
    let requests = 0;
    const tookUs: number[] = [];
    const thread = process.threadCpuUsage();
    const all = process.cpuUsage();
    const endMs = performance.now() + 1000 * seconds;
    while (performance.now() < endMs) {
      const startMs = performance.now();
      // What a request costs to be written into the batch is part of it.
      new Uint8Array(buffer).fill(2);
      buffer = (await this.#ask({ count: batch, buffer })).buffer;
      tookUs.push(1000 * (performance.now() - startMs));
      requests += batch;
    }
    const { user, system } = process.threadCpuUsage(thread);
    const total = process.cpuUsage(all);
    const sorted = tookUs.toSorted((a, b) => a - b);
    return {
      requests,
      askerSeconds: (user + system) / 1e6,
      allSeconds: (total.user + total.system) / 1e6,
      p50Us: sorted[sorted.length >> 1] as number,
    };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(message: HopMessage): Promise<HopMessage> {
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
      this.#worker.postMessage(message, [message.buffer]);
    });
  }
}
