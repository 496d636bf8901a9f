/** The part of a prom-client metric that its registry reads: one whose values are made at scrape time. */
export type ScrapedMetric = { readonly name: string; get(): Promise<ScrapedValues> };

export type ScrapedType = 'histogram' | 'counter' | 'gauge';

type ScrapedValues = {
  readonly name: string;
  readonly help: string;
  readonly type: ScrapedType;
  readonly aggregator: 'sum';
  readonly values: readonly ScrapedValue[];
};

export type ScrapedValue = {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
};

export function scraped(
  type: ScrapedType,
  name: string,
  help: string,
  values: (name: string) => readonly ScrapedValue[],
): ScrapedMetric {
  return { name, get: async () => ({ name, help, type, aggregator: 'sum', values: values(name) }) };
}

/** A histogram that is an array to whom it counts for, and series at scrape time; none before the first value. */
export class CountedHistogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** `bounds` ascend; each is inclusive. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Buckets are cumulative on the wire. */
  values(name: string, labels: ScrapedValue['labels'] = {}): readonly ScrapedValue[] {
    if (this.count === 0) return [];
    let below = 0;
    const buckets = Array.from(this.#counts, (count, at): ScrapedValue => {
      below += count;
      return {
        metricName: `${name}_bucket`,
        labels: { le: this.#bounds[at] ?? '+Inf', ...labels },
        value: below,
      };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: below },
    ];
  }
}
