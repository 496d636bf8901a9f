import type { Metric, Registry } from 'prom-client';
import type { DataEvents } from '../node/data-events.ts';
import type { DataStatus } from '../replication/data-admin.ts';
import { CountedHistogram, type ScrapedMetric, type ScrapedValue, scraped } from './scraped-metric.ts';

/** What a node counts of replicated data. */
export type DataMetrics = {
  readonly dataEvents: Omit<DataEvents, 'onDataNotice'>;
  /** Asks for hints, trees and repair at each scrape; undefined where this node serves no data. */
  watchData(read: () => DataStatus | undefined): void;
};

const SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

type Row = readonly [
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  value: (status: DataStatus) => number,
];

const ROWS: readonly Row[] = [
  [
    'gauge',
    'kvorum_replica_out',
    '1 where this replica takes no part',
    ({ replica }) => Number(replica.state === 'out'),
  ],
  ['gauge', 'kvorum_hints', 'Writes that are kept for owners that are down', ({ hints }) => hints.count],
  ['gauge', 'kvorum_hint_bytes', 'Bytes of them', ({ hints }) => hints.bytes],
  [
    'gauge',
    'kvorum_anti_entropy_partitions',
    'Partitions of which this node is a replica',
    ({ exchange }) => exchange.partitions,
  ],
  [
    'gauge',
    'kvorum_anti_entropy_equal_partitions',
    'Those of them that were equal everywhere when last compared',
    ({ exchange }) => exchange.partitionsEqual,
  ],
  [
    'gauge',
    'kvorum_merkle_trees_building',
    'Trees that are being made from the data',
    ({ trees }) => trees.building,
  ],
  [
    'counter',
    'kvorum_anti_entropy_repaired_keys_total',
    'Keys that differed and were repaired',
    ({ exchange }) => exchange.keysRepaired,
  ],
  [
    'counter',
    'kvorum_anti_entropy_sent_bytes_total',
    'Bytes of records sent to repair',
    ({ exchange }) => exchange.bytesSent,
  ],
  [
    'counter',
    'kvorum_replica_requests_sent_total',
    'Requests for keys sent to replicas on other members',
    ({ links }) => links.requestsSent,
  ],
  [
    'counter',
    'kvorum_replica_requests_served_total',
    'Requests for keys of other members that were answered, refusals included',
    ({ links }) => links.requestsServed,
  ],
  [
    'counter',
    'kvorum_replica_frames_sent_total',
    'Frames in which requests and answers went to other members',
    ({ links }) => links.framesSent,
  ],
  [
    'counter',
    'kvorum_replica_replies_ignored_total',
    'Answers of other members that nobody waited for: late, repeated, or to an earlier life',
    ({ links }) => links.repliesIgnored,
  ],
];

export function dataMetrics(registry: Registry): DataMetrics {
  let read = (): DataStatus | undefined => undefined;
  const register = (metric: ScrapedMetric): void => registry.registerMetric(metric as unknown as Metric);
  for (const [type, name, help, value] of ROWS) {
    register(
      scraped(type, name, help, () => {
        const status = read();
        return status === undefined ? [] : [{ labels: {}, value: value(status) }];
      }),
    );
  }
  register(
    scraped(
      'counter',
      'kvorum_replica_request_failures_total',
      'Requests for keys that came to nothing',
      () => failures(read()),
    ),
  );
  const writes = timed(register, 'kvorum_write', 'writes');
  const reads = timed(register, 'kvorum_read', 'reads');
  const count = (name: string, help: string, label = ''): Counted => {
    const counted = new Counted(label);
    register(scraped('counter', name, help, () => counted.values()));
    return counted;
  };
  const hedges = count(
    'kvorum_read_hedges_total',
    'Replicas asked because another one was slow',
    'slow_member',
  );
  const repairs = count(
    'kvorum_read_repairs_total',
    'Records sent to replicas that lacked them, after an answer',
  );
  const writeBacks = count(
    'kvorum_write_backs_total',
    'Records written to a quorum before a read was answered',
  );
  const restarts = count(
    'kvorum_request_restarts_total',
    'Requests that began again under a newer epoch or watermark',
  );
  const kept = count('kvorum_hints_kept_total', 'Hints kept');
  const replayed = count('kvorum_hints_replayed_total', 'Hints that their owner has taken');
  const dropped = count(
    'kvorum_hints_dropped_total',
    'Hints dropped; anti-entropy brings what they held',
    'reason',
  );
  const corrupt = count('kvorum_corrupt_records_total', 'Records that failed their checksum');
  const moved = count('kvorum_move_bytes_total', 'Bytes of records that came to this node by moves');
  const delays = count(
    'kvorum_move_delays_total',
    'Transfers of a partition that have failed for longer than a moment, and are tried again',
  );
  return {
    dataEvents: {
      onWrite: (outcome, seconds) => writes(outcome, seconds),
      onRead: (outcome, seconds) => reads(outcome, seconds),
      onHedge: (slow) => hedges.add(1, String(slow)),
      onReadRepair: (records) => repairs.add(records),
      onWriteBack: (records) => writeBacks.add(records),
      onRestart: () => restarts.add(1),
      onHintsKept: (hints) => kept.add(hints),
      onHintsReplayed: (hints) => replayed.add(hints),
      onHintsDropped: (reason, hints) => dropped.add(hints, reason),
      onCorrupt: () => corrupt.add(1),
      onMoved: (bytes) => moved.add(bytes),
      onMoveDelayed: () => delays.add(1),
    },
    watchData: (next) => {
      read = next;
    },
  };
}

function failures(status: DataStatus | undefined): readonly ScrapedValue[] {
  if (status === undefined) return [];
  const { timeouts, unreachable, overloaded } = status.links;
  return Object.entries({ timeout: timeouts, unreachable, overloaded }).map(([reason, value]) => ({
    labels: { reason },
    value,
  }));
}

/** A counter for each outcome, and one histogram of the seconds. */
function timed(
  register: (metric: ScrapedMetric) => void,
  prefix: string,
  what: string,
): (outcome: string, seconds: number) => void {
  const outcomes = new Counted('outcome');
  const seconds = new CountedHistogram(SECONDS);
  register(
    scraped('counter', `${prefix}s_total`, `Quorum ${what} that this node coordinated`, () =>
      outcomes.values(),
    ),
  );
  register(
    scraped('histogram', `${prefix}_duration_seconds`, `Time of quorum ${what}`, (name) =>
      seconds.values(name),
    ),
  );
  return (outcome, took) => {
    outcomes.add(1, outcome);
    seconds.observe(took);
  };
}

/** A counter with at most one label. */
class Counted {
  readonly #label: string;
  readonly #counts = new Map<string, number>();

  constructor(label: string) {
    this.#label = label;
    if (label === '') this.#counts.set('', 0);
  }

  add(count: number, value = ''): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
  }

  values(): readonly ScrapedValue[] {
    return Array.from(this.#counts, ([label, value]) => ({
      labels: this.#label === '' ? {} : { [this.#label]: label },
      value,
    }));
  }
}
