import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../e2e/lib/server-process.ts';
import { cpuSeconds, residentMiB } from '../lib/process-cost.ts';
import { STORE_HOST } from './stand-in-store.ts';

export type OperatorProcessOptions = {
  readonly kubeconfig: string;
  readonly log: string;
  /** Undefined for all of them. */
  readonly watchNamespaces?: readonly string[];
};

/** A histogram or a counter, of /metrics. */
export type Series = ReadonlyMap<string, number>;

const NAMESPACE = 'kvorum-system';
const START_DEADLINE_MS = 30_000;
const LOOK_MS = 100;
const LOG_CHARS = 600;

/** A real `kvorum operator`, as in a pod, but that the names of pods lead to the stand-in for their stores. */
export class OperatorProcess implements AsyncDisposable {
  static readonly namespace = NAMESPACE;
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #log: string;

  private constructor(child: ChildProcess, port: number, log: string) {
    this.#child = child;
    this.#url = `http://127.0.0.1:${port}`;
    this.#log = log;
  }

  /** Resolves once it leads. */
  static async start({ kubeconfig, log, watchNamespaces }: OperatorProcessOptions): Promise<OperatorProcess> {
    const port = await freePort();
    const args = [
      ...['--import', './e2e/lib/host-names.ts', 'cli/main.ts', 'operator'],
      ...['--http-port', String(port), '--kubeconfig', kubeconfig],
      ...(watchNamespaces === undefined ? [] : ['--watch-namespaces', watchNamespaces.join(',')]),
    ];
    const file = openSync(log, 'a');
    const names = JSON.stringify({ '.svc': STORE_HOST });
    const env = { ...process.env, POD_NAMESPACE: NAMESPACE, HOST_NAMES: names };
    const child = spawn(process.execPath, args, { stdio: ['ignore', file, file], env });
    closeSync(file);
    const endWithRun = (): boolean => child.kill('SIGKILL');
    process.once('exit', endWithRun);
    child.once('exit', () => process.off('exit', endWithRun));
    const operator = new OperatorProcess(child, port, log);
    await operator.#leads();
    return operator;
  }

  get residentMiB(): number {
    return residentMiB(this.#child.pid ?? 0);
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid ?? 0);
  }

  async metrics(): Promise<Series> {
    const text = await (await fetch(`${this.#url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  async #leads(): Promise<void> {
    const deadlineMs = performance.now() + START_DEADLINE_MS;
    while (!(await this.#isLeading())) {
      if (this.#child.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(`the operator does not lead: ${readFileSync(this.#log, 'utf8').slice(-LOG_CHARS)}`);
      await sleep(LOOK_MS);
    }
  }

  async #isLeading(): Promise<boolean> {
    try {
      return (await this.metrics()).get('kvorum_operator_is_leader') === 1;
    } catch {
      return false; // it does not listen yet
    }
  }
}

/** What was added to a histogram between two looks at /metrics. */
export function between(
  before: Series,
  after: Series,
  name: string,
): { readonly count: number; readonly sum: number; readonly upTo: (share: number) => number } {
  const added = (key: string): number => (after.get(key) ?? 0) - (before.get(key) ?? 0);
  const bucket = new RegExp(`^${name}_bucket\\{le="([^"]+)"\\}$`);
  const buckets = [...after.keys()].flatMap((key) => {
    const le = bucket.exec(key)?.[1];
    return le === undefined
      ? []
      : [{ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: added(key) }];
  });
  const count = added(`${name}_count`);
  // The bound of the bucket: a histogram knows no more.
  const upTo = (share: number): number =>
    buckets.toSorted((a, b) => a.le - b.le).find((each) => each.count >= share * count)?.le ?? Number.NaN;
  return { count, sum: added(`${name}_sum`), upTo };
}
