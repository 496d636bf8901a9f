import type { Reply } from '../core/resp/reply.ts';
import { CountedHistogram, type ScrapedMetric, type ScrapedValue, scraped } from './scraped-metric.ts';

/** Of the commands of one name. */
export type RespSeries = { observe(seconds: number, reply: Reply): void };

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Prefixes that are counted by name; all others are `other`. */
const PREFIXES: ReadonlySet<string> = new Set(
  'ERR NOAUTH WRONGPASS NOPERM NOPROTO OOM TRYAGAIN CLUSTERDOWN MOVED'.split(' '),
);

/** Counts commands in plain arrays, as HttpTimings does requests; names are those of the table of commands, so there are few. */
export class RespTimings {
  readonly #byCommand = new Map<string, CountedHistogram>();
  readonly #series = new Map<string, RespSeries>();
  readonly #errors = new Map<string, number>();

  readonly metrics: readonly ScrapedMetric[] = [
    scraped(
      'histogram',
      'kvorum_resp_command_duration_seconds',
      'From the last byte of a command to its answer',
      (own) => [...this.#byCommand].flatMap(([command, seconds]) => seconds.values(own, { command })),
    ),
    scraped('counter', 'kvorum_resp_errors_total', 'Commands answered with an error', () =>
      [...this.#errors].map(([prefix, value]): ScrapedValue => ({ labels: { prefix }, value })),
    ),
  ];

  series(command: string): RespSeries {
    return this.#series.get(command) ?? this.#open(command);
  }

  #open(command: string): RespSeries {
    const seconds = new CountedHistogram(BUCKETS);
    const series: RespSeries = {
      observe: (took, reply) => {
        seconds.observe(took);
        if (reply.type === 'error') this.#countError(reply.text);
      },
    };
    this.#byCommand.set(command, seconds);
    this.#series.set(command, series);
    return series;
  }

  #countError(text: string): void {
    const first = text.split(' ', 1)[0] as string;
    const prefix = PREFIXES.has(first) ? first : 'other';
    this.#errors.set(prefix, (this.#errors.get(prefix) ?? 0) + 1);
  }
}
