/**
 * Counts requests in plain arrays and turns them into Prometheus series at scrape time: prom-client's own
 * histogram hashes its labels at every observation, which a store of 50,000 requests a second notices.
 */
export type HttpSeries = {
  observe(status: number, seconds: number, requestBytes: number, responseBytes: number): void;
};

/** The part of a prom-client metric that its registry reads. */
export type ScrapedMetric = { readonly name: string; get(): Promise<ScrapedValues> };

type ScrapedValues = {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram' | 'counter';
  readonly aggregator: 'sum';
  readonly values: readonly ScrapedValue[];
};

type ScrapedValue = {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
};

type Row = {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: Float64Array;
  seconds: number;
  requestBytes: number;
  responseBytes: number;
};

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class HttpTimings {
  readonly #rows: Row[] = [];

  readonly metrics: readonly ScrapedMetric[] = [
    this.#counter('kvorum_http_requests_total', 'Requests answered', requestCount),
    this.#counter('kvorum_http_request_bytes_total', 'Bytes of request bodies', (row) => row.requestBytes),
    this.#counter('kvorum_http_response_bytes_total', 'Bytes of response bodies', (row) => row.responseBytes),
    this.#histogram('kvorum_http_request_duration_seconds', 'From the headers to the end of the answer'),
  ];

  /** The series of one route and method; a code gets its row when it first occurs. */
  series(route: string, method: string): HttpSeries {
    const byStatus = new Map<number, Row>();
    return {
      observe: (status, seconds, requestBytes, responseBytes) => {
        const row = byStatus.get(status) ?? this.#addRow(byStatus, route, method, status);
        record(row, seconds, requestBytes, responseBytes);
      },
    };
  }

  #addRow(byStatus: Map<number, Row>, route: string, method: string, status: number): Row {
    const labels = { route, method, code: String(status) };
    const buckets = new Float64Array(BUCKETS.length + 1);
    const row = { labels, buckets, seconds: 0, requestBytes: 0, responseBytes: 0 };
    byStatus.set(status, row);
    this.#rows.push(row);
    return row;
  }

  #counter(name: string, help: string, value: (row: Row) => number): ScrapedMetric {
    const values = (): ScrapedValue[] => this.#rows.map((row) => ({ labels: row.labels, value: value(row) }));
    return { name, get: async () => ({ name, help, type: 'counter', aggregator: 'sum', values: values() }) };
  }

  #histogram(name: string, help: string): ScrapedMetric {
    const values = (): ScrapedValue[] => this.#rows.flatMap((row) => histogramValues(name, row));
    return {
      name,
      get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() }),
    };
  }
}

function record(row: Row, seconds: number, requestBytes: number, responseBytes: number): void {
  let at = 0;
  while (at < BUCKETS.length && seconds > (BUCKETS[at] as number)) at++;
  row.buckets[at] = (row.buckets[at] as number) + 1;
  row.seconds += seconds;
  row.requestBytes += requestBytes;
  row.responseBytes += responseBytes;
}

function requestCount(row: Row): number {
  return row.buckets.reduce((sum, count) => sum + count, 0);
}

/** Buckets are cumulative on the wire. */
function histogramValues(name: string, row: Row): ScrapedValue[] {
  let below = 0;
  const buckets = Array.from(row.buckets, (count, at): ScrapedValue => {
    below += count;
    return {
      metricName: `${name}_bucket`,
      labels: { le: BUCKETS[at] ?? '+Inf', ...row.labels },
      value: below,
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: row.labels, value: row.seconds },
    { metricName: `${name}_count`, labels: row.labels, value: below },
  ];
}
