import { randomBytes } from 'node:crypto';
import { K6Process, type K6Summary } from './load/k6-process.ts';
import { keyStatesOf } from './load/key-states.ts';
import type { LoadLine } from './load/load-lines.ts';
import { type PhaseFigures, type PhaseMark, phaseFigures } from './load/phase-figures.ts';
import { type ReadBack, readBack } from './load/read-back.ts';
import type { Scene } from './scenario.ts';
import type { StoreAddress } from './store-client.ts';

export type LoadOptions = {
  /** Operations, half of them puts. */
  readonly ratePerSecond?: number;
  /** Operations that may fail for good: none, unless what is done to the cluster costs some. */
  readonly errorsMax?: number;
  /** Iterations that k6 may not get to: more than none means that the load was not what it says. */
  readonly droppedMax?: number;
  /** Of all operations of the load together. */
  readonly p99MsMax?: number;
};

const DEFAULTS = { ratePerSecond: 100, errorsMax: 0, droppedMax: 0, p99MsMax: 2000 };

/** Whatever has a store: a KvCluster. */
export type Target = { address(): Promise<StoreAddress> };

/** What a load was and what came of it, for the table of docs/e2e.md. */
export type LoadReport = {
  readonly ratePerSecond: number;
  readonly phases: readonly PhaseFigures[];
  /** Puts. */
  readonly acknowledged: number;
  /** Puts that may have been done. */
  readonly unknown: number;
  /** Keys that hold what was acknowledged, of so many. */
  readonly keysAsAcknowledged: number;
  readonly keys: number;
  readonly problems: readonly string[];
};

/**
 * Runs k6 against the client Service of a cluster while `act` lasts, then reads everything back that was acknowledged. Throws where
 * something acknowledged is not there, or the load missed its thresholds; the report is in the result of the scenario in any case.
 */
export async function withLoad(
  scene: Scene,
  cluster: Target,
  act: (load: Load) => Promise<void>,
  options: LoadOptions = {},
): Promise<LoadReport> {
  const limits = { ...DEFAULTS, ...options };
  const load = await scene.step(`k6: ${limits.ratePerSecond} operations a second`, async () => {
    return await Load.start(`${scene.directory}/load-${randomBytes(3).toString('hex')}`, cluster, limits);
  });
  try {
    const failure = await act(load).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const ended = scene.step(
      'k6 ends, and every key that it wrote is read back',
      async () => await load.end(),
    );
    const report = await ended.catch((error: unknown) => {
      throw failure === undefined ? error : failure.error; // what failed first
    });
    scene.record(report);
    if (failure !== undefined) throw failure.error;
    if (report.problems.length > 0) throw new Error(`under load: ${report.problems.join('; ')}`);
    return report;
  } finally {
    load.kill();
  }
}

/** A load that runs. */
export class Load {
  readonly #cluster: Target;
  readonly #limits: Required<LoadOptions>;
  readonly #k6: K6Process;
  readonly #marks: PhaseMark[] = [];

  private constructor(cluster: Target, limits: Required<LoadOptions>, k6: K6Process) {
    this.#cluster = cluster;
    this.#limits = limits;
    this.#k6 = k6;
  }

  static async start(directory: string, cluster: Target, limits: Required<LoadOptions>): Promise<Load> {
    const { url, token = '' } = await cluster.address();
    const settings = {
      ...{ URLS: url, TOKEN: token, RUN: randomBytes(3).toString('hex') },
      RATE: String(limits.ratePerSecond),
      ERRORS_MAX: String(limits.errorsMax),
      DROPPED_MAX: String(limits.droppedMax),
      P99_MS_MAX: String(limits.p99MsMax),
    };
    return new Load(cluster, limits, await K6Process.start(directory, settings));
  }

  /** Operations that begin while `act` lasts are of this phase. What is of no phase counts for the load as a whole. */
  async phase<T>(name: string, act: () => Promise<T>): Promise<T> {
    const before = await this.#k6.dropped();
    const fromMs = Date.now();
    try {
      return await act();
    } finally {
      const toMs = Date.now();
      this.#marks.push({ name, fromMs, toMs, dropped: (await this.#k6.dropped()) - before });
    }
  }

  async end(): Promise<LoadReport> {
    const toMs = Date.now();
    const { lines, summary } = await this.#k6.stop();
    const states = keyStatesOf(lines);
    const read = await readBack(await this.#cluster.address(), states);
    const fromMs = lines.reduce((first, { t }) => Math.min(first, t), toMs);
    const all = { name: 'all', fromMs, toMs, dropped: summary.dropped };
    return {
      ratePerSecond: this.#limits.ratePerSecond,
      phases: [...this.#marks, all].map((mark) => phaseFigures(mark, lines)),
      acknowledged: countOf(lines, 'acknowledged'),
      unknown: countOf(lines, 'unknown'),
      keys: read.keys,
      keysAsAcknowledged: read.keys - read.problemCount,
      problems: problemsOf(lines, summary, read),
    };
  }

  kill(): void {
    this.#k6.kill();
  }
}

function countOf(lines: readonly LoadLine[], outcome: LoadLine['outcome']): number {
  return lines.filter((line) => line.outcome === outcome).length;
}

/** What breaks a promise, in words. A write is told of before it is counted: fewer lines than were counted means that some were lost. */
function problemsOf(lines: readonly LoadLine[], summary: K6Summary, read: ReadBack): readonly string[] {
  const told = { acknowledged: countOf(lines, 'acknowledged'), answered: countOf(lines, 'answered') };
  const lost = (['acknowledged', 'answered'] as const).filter((kind) => told[kind] < summary[kind]);
  const wrong = lines.flatMap(({ key, problem }) =>
    problem === undefined ? [] : [`read of ${key} gave ${problem}`],
  );
  return [
    ...read.problems,
    ...wrong.slice(0, 10),
    ...summary.failedThresholds.map((text) => `threshold ${text} does not hold`),
    ...lost.map((kind) => `k6 counted ${summary[kind]} ${kind}, and told of ${told[kind]}`),
    ...(told.acknowledged === 0 ? ['nothing was acknowledged'] : []),
  ];
}
