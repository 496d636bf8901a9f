import { Histogram } from '../../cli/bench/histogram.ts';

/** What came of the requests of a phase; latencies in milliseconds. */
export type PhaseFigures = {
  readonly seconds: number;
  readonly answered: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly reads: Latencies;
  readonly writes: Latencies;
  /** Requests that were due and waited for a connection, at most. */
  readonly waitingMost: number;
};
export type Latencies = { readonly p50: number; readonly p99: number; readonly max: number };

export class PhaseStats {
  readonly #startedAt = performance.now();
  readonly #latencies = { read: new Histogram(), write: new Histogram() };
  readonly #failures = new Map<string, number>();
  #waitingMost = 0;
  answered = 0;

  done(kind: 'read' | 'write', ms: number): void {
    this.answered += 1;
    this.#latencies[kind].record(ms * 1000);
  }

  failed(code: string): void {
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  waiting(count: number): void {
    this.#waitingMost = Math.max(this.#waitingMost, count);
  }

  figures(): PhaseFigures {
    return {
      seconds: (performance.now() - this.#startedAt) / 1000,
      answered: this.answered,
      failures: Object.fromEntries(this.#failures),
      reads: latenciesOf(this.#latencies.read),
      writes: latenciesOf(this.#latencies.write),
      waitingMost: this.#waitingMost,
    };
  }
}

function latenciesOf(histogram: Histogram): Latencies {
  const at = (share: number): number => histogram.percentile(share) / 1000;
  return { p50: at(0.5), p99: at(0.99), max: histogram.max / 1000 };
}
