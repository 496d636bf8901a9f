import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { findTool } from '../../../charts/generate/find-tool.ts';
import { freePort } from '../../lib/server-process.ts';
import { until } from '../kubectl.ts';
import { type LoadLine, parseLoadLines } from './load-lines.ts';

const SCRIPT = new URL('../../k6/load.js', import.meta.url).pathname;
const PROGRAM = findTool('k6', 'K6') ?? 'k6';
const START_LIMIT_MS = 60_000;
/** k6 waits for what is under way, and writes its summary. */
const STOP_LIMIT_MS = 30_000;
const API_TIMEOUT_MS = 2000;

/** What load.js reads of its environment. */
export type K6Settings = {
  readonly URLS: string;
  readonly RUN: string;
  readonly TOKEN: string;
  readonly RATE: string;
  readonly ERRORS_MAX: string;
  readonly DROPPED_MAX: string;
  readonly P99_MS_MAX: string;
};

/** What handleSummary of load.js writes. */
export type K6Summary = {
  readonly iterations: number;
  readonly dropped: number;
  readonly requests: number;
  readonly acknowledged: number;
  readonly answered: number;
  readonly errors: number;
  readonly retries: number;
  readonly violations: number;
  readonly failedThresholds: readonly string[];
};

/** k6 with load.js, in this network, until it is told to stop. */
export class K6Process {
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #apiPort: number;
  #failure: Error | undefined;
  #dropped = 0;

  private constructor(directory: string, child: ChildProcess, apiPort: number) {
    this.#directory = directory;
    this.#child = child;
    this.#apiPort = apiPort;
    child.once('error', (error) => {
      this.#failure = error;
    });
  }

  /** Returns when the first operation has ended. Console, log and summary are files of the directory. */
  static async start(directory: string, settings: K6Settings): Promise<K6Process> {
    await mkdir(directory, { recursive: true });
    const apiPort = await freePort();
    await using log = await open(`${directory}/k6.log`, 'w');
    const child = spawn(PROGRAM, argumentsFor(directory, apiPort), {
      env: { ...process.env, ...settings, SUMMARY: `${directory}/summary.json` },
      stdio: ['ignore', log.fd, log.fd],
    });
    const k6 = new K6Process(directory, child, apiPort);
    await until('the load begins', START_LIMIT_MS, async () => await k6.#hasBegun());
    return k6;
  }

  /** Iterations that it could not begin in time, up to now; what was last known where it does not say. */
  async dropped(): Promise<number> {
    const url = `http://127.0.0.1:${this.#apiPort}/v1/metrics/dropped_iterations`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(API_TIMEOUT_MS) });
      // A metric that has no sample is not there.
      if (response.ok)
        this.#dropped = ((await response.json()) as DroppedAnswer).data.attributes.sample.count;
    } catch {
      // The summary has the sum in any case.
    }
    return this.#dropped;
  }

  /** Ends it in good order. */
  async stop(): Promise<{ readonly lines: readonly LoadLine[]; readonly summary: K6Summary }> {
    if (this.#isRunning()) {
      const ended = once(this.#child, 'exit', { signal: AbortSignal.timeout(STOP_LIMIT_MS) });
      this.#child.kill('SIGINT');
      await ended;
    }
    const lines = parseLoadLines(await readFile(`${this.#directory}/console.log`, 'utf8'));
    const summary = JSON.parse(await readFile(`${this.#directory}/summary.json`, 'utf8')) as K6Summary;
    return { lines, summary };
  }

  kill(): void {
    if (this.#isRunning()) this.#child.kill('SIGKILL');
  }

  async #hasBegun(): Promise<true | undefined> {
    if (!this.#isRunning()) throw new Error(await this.#whyEnded(), { cause: this.#failure });
    const text = await readFile(`${this.#directory}/console.log`, 'utf8');
    return text.includes('\n') || undefined;
  }

  #isRunning(): boolean {
    return this.#failure === undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #whyEnded(): Promise<string> {
    const log = await readFile(`${this.#directory}/k6.log`, 'utf8');
    return `k6 has ended (e2e/k6/install-k6.sh builds it): ${log.slice(-1000)}`;
  }
}

type DroppedAnswer = {
  readonly data: { readonly attributes: { readonly sample: { readonly count: number } } };
};

function argumentsFor(directory: string, apiPort: number): readonly string[] {
  const files = ['--console-output', `${directory}/console.log`, '--log-format', 'json'];
  const quiet = ['--quiet', '--no-color', '--no-usage-report'];
  return ['run', ...quiet, ...files, '--address', `127.0.0.1:${apiPort}`, SCRIPT];
}
