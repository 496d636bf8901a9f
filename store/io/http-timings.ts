/**
 * Counts requests in plain arrays and turns them into Prometheus series at scrape time: prom-client's own
 * histogram hashes its labels at every observation, which a store of 50,000 requests a second notices.
 */
import { CountedHistogram, type ScrapedMetric, type ScrapedValue, scraped } from './scraped-metric.ts';

export type HttpSeries = {
  observe(status: number, seconds: number, requestBytes: number, responseBytes: number): void;
};

type Row = {
  readonly labels: Readonly<Record<string, string>>;
  readonly seconds: CountedHistogram;
  requestBytes: number;
  responseBytes: number;
};

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class HttpTimings {
  readonly #rows: Row[] = [];

  readonly metrics: readonly ScrapedMetric[] = [
    this.#counter('kvorum_http_requests_total', 'Requests answered', (row) => row.seconds.count),
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
        row.seconds.observe(seconds);
        row.requestBytes += requestBytes;
        row.responseBytes += responseBytes;
      },
    };
  }

  #addRow(byStatus: Map<number, Row>, route: string, method: string, status: number): Row {
    const labels = { route, method, code: String(status) };
    const row = { labels, seconds: new CountedHistogram(BUCKETS), requestBytes: 0, responseBytes: 0 };
    byStatus.set(status, row);
    this.#rows.push(row);
    return row;
  }

  #counter(name: string, help: string, value: (row: Row) => number): ScrapedMetric {
    const values = (): ScrapedValue[] => this.#rows.map((row) => ({ labels: row.labels, value: value(row) }));
    return scraped('counter', name, help, values);
  }

  #histogram(name: string, help: string): ScrapedMetric {
    return scraped('histogram', name, help, (own) =>
      this.#rows.flatMap((row) => row.seconds.values(own, row.labels)),
    );
  }
}
