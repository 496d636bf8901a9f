import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export type Window = {
  /** Since the start of the load. */
  readonly atMs: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Answered 429 or above. */
  readonly refused: number;
};

export type ForegroundLoad = {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Since 1970. */
  readonly startedAtMs: number;
  readonly windows: readonly Window[];
};

export type ForegroundOptions = {
  readonly binary: string;
  readonly endpoints: readonly string[];
  readonly clients: number;
  readonly putPercent: number;
  readonly valueBytes: number;
  readonly keys: number;
  readonly windowMs: number;
};

const SECONDS_MAX = 600;
const PREFIX = '/v1/kv/default/key-';

/** A load that runs until it is ended, told in windows of time. */
export class Foreground {
  readonly #child: ChildProcess;
  readonly #output: Promise<string>;

  constructor(options: ForegroundOptions) {
    const { binary, endpoints, clients, putPercent, valueBytes, keys, windowMs } = options;
    const numbers = [clients, SECONDS_MAX, putPercent, valueBytes, keys].map(String);
    this.#child = spawn(binary, [endpoints.join(','), ...numbers, PREFIX, String(windowMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#output = new Promise((resolve) => {
      let text = '';
      this.#child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      this.#child.stdout?.once('end', () => resolve(text));
    });
  }

  async end(): Promise<ForegroundLoad> {
    this.#child.kill('SIGTERM');
    const text = await this.#output;
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    if (this.#child.exitCode !== 0) throw new Error(`the load ended with ${this.#child.exitCode}`);
    return JSON.parse(text) as ForegroundLoad;
  }
}

/** Of the windows that lie wholly between two times, by the wall clock: requests a second, and the median of their p99. */
export function between(
  { startedAtMs, windows }: ForegroundLoad,
  fromMs: number,
  toMs: number,
  windowMs: number,
): { readonly perSecond: number; readonly p99Ms: number; readonly worstP99Ms: number } {
  const taken = windows.filter(
    ({ atMs }) => startedAtMs + atMs >= fromMs && startedAtMs + atMs + windowMs <= toMs,
  );
  if (taken.length === 0) throw new Error('no window of the load lies in that time: take more keys');
  const p99s = taken.map(({ p99Ms }) => p99Ms).toSorted((a, b) => a - b);
  return {
    perSecond: taken.reduce((sum, { perSecond }) => sum + perSecond, 0) / taken.length,
    p99Ms: p99s[p99s.length >> 1] as number,
    worstP99Ms: p99s.at(-1) as number,
  };
}
