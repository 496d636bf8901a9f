import { Pool } from 'undici';
import { Histogram } from './histogram.ts';

export type LoadOptions = {
  readonly url: string;
  readonly token: () => string | undefined;
  /** PEM; of an https URL. */
  readonly ca: Buffer | undefined;
  readonly namespace: string;
  /** Requests a second, whether the node keeps up or not (open loop); undefined: as fast as the connections allow. */
  readonly ratePerSecond: number | undefined;
  readonly connections: number;
  readonly durationMs: number;
  /** 0..1 */
  readonly readShare: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly timeoutMs: number;
};

export type LoadResult = {
  readonly elapsedMs: number;
  /** Latencies in microseconds. In an open loop they begin when the request was due, not when it could be sent. */
  readonly reads: Histogram;
  readonly writes: Histogram;
  readonly failures: ReadonlyMap<string, number>;
  /** Successes of each second. */
  readonly perSecond: readonly number[];
};

/** A node that is this far behind is given up on: the open loop would only pile up memory. */
const WAITING_MAX = 100_000;

/** Puts load on the node for `durationMs`, then waits for what is under way. */
export async function runLoad(options: LoadOptions, progress: (done: number) => void): Promise<LoadResult> {
  const load = new Load(options);
  const timer = setInterval(() => progress(load.done), 1000);
  try {
    await (options.ratePerSecond === undefined ? load.closedLoop() : load.openLoop(options.ratePerSecond));
    return load.result();
  } finally {
    clearInterval(timer);
    await load.close();
  }
}

class Load {
  readonly #options: LoadOptions;
  readonly #pool: Pool;
  readonly #value: Buffer;
  readonly #reads = new Histogram();
  readonly #writes = new Histogram();
  readonly #failures = new Map<string, number>();
  readonly #perSecond: number[] = [];
  readonly #startMs = performance.now();
  done = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { connections, timeoutMs, valueBytes, ca } = options;
    this.#pool = new Pool(options.url, {
      ...{ connections, headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
      ...(ca !== undefined && { connect: { ca } }),
    });
    this.#value = Buffer.alloc(valueBytes, 'v');
  }

  /** One request after the other on each connection. */
  async closedLoop(): Promise<void> {
    const endMs = this.#startMs + this.#options.durationMs;
    const loop = async (): Promise<void> => {
      while (performance.now() < endMs) await this.#request(performance.now());
    };
    await Promise.all(Array.from({ length: this.#options.connections }, loop));
  }

  /**
   * Requests at fixed times. The latency of each begins at its time, so that a stall of the node counts for every
   * request that was due during it, not for one alone (coordinated omission, Gil Tene).
   */
  async openLoop(ratePerSecond: number): Promise<void> {
    const total = Math.floor((this.#options.durationMs / 1000) * ratePerSecond);
    const underWay = new Set<Promise<void>>();
    for (let sent = 0; sent < total; ) {
      const dueCount = Math.min(
        total,
        Math.ceil(((performance.now() - this.#startMs) / 1000) * ratePerSecond),
      );
      for (; sent < dueCount; sent++) {
        if (underWay.size >= WAITING_MAX)
          throw new Error(`${WAITING_MAX} requests wait: the node is far behind ${ratePerSecond} a second`);
        const request = this.#request(this.#startMs + (sent / ratePerSecond) * 1000);
        underWay.add(request);
        void request.then(() => underWay.delete(request));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(underWay);
  }

  async #request(startMs: number): Promise<void> {
    const isRead = Math.random() < this.#options.readShare;
    const key = `bench-${Math.floor(Math.random() * this.#options.keys)}`;
    const path = `/v1/kv/${this.#options.namespace}/${key}`;
    const token = this.#options.token();
    try {
      const answer = await this.#pool.request({
        path,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        method: isRead ? 'GET' : 'PUT',
        body: isRead ? null : this.#value,
      });
      await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER });
      const isExpected = answer.statusCode === (isRead ? 200 : 204) || (isRead && answer.statusCode === 404);
      if (!isExpected) return this.#fail(`status ${answer.statusCode}`);
    } catch (error) {
      return this.#fail((error as NodeJS.ErrnoException).code ?? 'failed');
    }
    const nowMs = performance.now();
    (isRead ? this.#reads : this.#writes).record((nowMs - startMs) * 1000);
    const second = Math.floor((nowMs - this.#startMs) / 1000);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
    this.done += 1;
  }

  #fail(reason: string): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  result(): LoadResult {
    return {
      elapsedMs: performance.now() - this.#startMs,
      reads: this.#reads,
      writes: this.#writes,
      failures: this.#failures,
      perSecond: Array.from(this.#perSecond, (count) => count ?? 0),
    };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
