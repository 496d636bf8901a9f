/** What the dashboard shows, from the question whether all is well down to single nodes. */

export type Unit = 'short' | 's' | 'ops' | 'Bps' | 'bytes' | 'percentunit' | 'none';

export type Panel = {
  readonly title: string;
  readonly description: string;
  readonly kind: 'stat' | 'graph';
  readonly unit: Unit;
  /** In columns of 24; the next one follows to the right, or below. */
  readonly width: number;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
};

export type Row = { readonly title: string; readonly panels: readonly Panel[] };

/** Which series: `$kvcluster` is the name of a KVCluster, or any where there is none. */
const OF = 'namespace=~"$namespace",kvcluster=~"$kvcluster",pod=~"$pod"';

const stat = (title: string, description: string, expr: string, unit: Unit = 'none'): Panel => ({
  title,
  description,
  kind: 'stat',
  unit,
  width: 4,
  queries: [{ expr, legend: '' }],
});

type Queries = Readonly<Record<string, string>>;
type Look = { readonly unit?: Unit; readonly width?: number };

const graph = (
  title: string,
  description: string,
  queries: Queries,
  { unit = 'short', width = 8 }: Look = {},
): Panel => ({
  title,
  description,
  kind: 'graph',
  unit,
  width,
  queries: Object.entries(queries).map(([legend, expr]) => ({ expr, legend })),
});

const rate = (metric: string, labels = ''): string =>
  `rate(${metric}{${OF}${labels === '' ? '' : `,${labels}`}}[$__rate_interval])`;
const quantile = (q: number, histogram: string, by = ''): string =>
  `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (${rate(`${histogram}_bucket`)}))`;

const WELL: Row = {
  title: 'Is it fine?',
  panels: [
    stat(
      'Quorum',
      '1: every voter is there. 0: one is missing, or the quorum is lost; kvorum cluster status says which.',
      `max(kvorum_cluster_quorum{${OF},state="ok"})`,
    ),
    stat('Members alive', 'By what gossip says.', `max(kvorum_members{${OF},liveness="alive"})`),
    stat(
      'Members down',
      'Start them again, or have them replaced.',
      `max(kvorum_members{${OF},liveness="dead"})`,
    ),
    stat(
      'Replicas equal',
      'Share of the partitions that were equal everywhere when they were last compared.',
      `sum(kvorum_anti_entropy_equal_partitions{${OF}}) / sum(kvorum_anti_entropy_partitions{${OF}})`,
      'percentunit',
    ),
    stat('Hints', 'Writes that are kept for members that are down.', `sum(kvorum_hints{${OF}})`, 'short'),
    stat('Epoch', 'Changes of the topology so far.', `max(kvorum_topology_epoch{${OF}})`),
  ],
};

const REQUESTS: Row = {
  title: 'Requests',
  panels: [
    graph(
      'Requests',
      'Answered, by their codes. A rise of 5xx: docs/errors.md.',
      { '{{code}}': `sum by (code) (${rate('kvorum_http_requests_total')})` },
      { unit: 'ops' },
    ),
    graph(
      'Writes',
      'Quorum writes by their outcome. What is not acknowledged is an alert.',
      { '{{outcome}}': `sum by (outcome) (${rate('kvorum_writes_total')})` },
      { unit: 'ops' },
    ),
    graph(
      'Reads',
      'Quorum reads by their outcome.',
      { '{{outcome}}': `sum by (outcome) (${rate('kvorum_reads_total')})` },
      { unit: 'ops' },
    ),
    graph(
      'Latency of writes',
      'A write waits for the disks of a majority.',
      {
        p50: quantile(0.5, 'kvorum_write_duration_seconds'),
        p99: quantile(0.99, 'kvorum_write_duration_seconds'),
        'p99.9': quantile(0.999, 'kvorum_write_duration_seconds'),
      },
      { unit: 's' },
    ),
    graph(
      'Latency of reads',
      'A read asks a majority, and hedges slow ones.',
      {
        p50: quantile(0.5, 'kvorum_read_duration_seconds'),
        p99: quantile(0.99, 'kvorum_read_duration_seconds'),
        'p99.9': quantile(0.999, 'kvorum_read_duration_seconds'),
      },
      { unit: 's' },
    ),
    graph('In flight', 'Requests that are being served, and connections.', {
      'requests of {{pod}}': `kvorum_http_in_flight_requests{${OF}}`,
      'connections of {{pod}}': `kvorum_http_connections{${OF}}`,
    }),
  ],
};

const REPLICATION: Row = {
  title: 'Replication and repair',
  panels: [
    graph(
      'Repair',
      'Rises while members come back, and rests otherwise.',
      {
        'read repairs': `sum(${rate('kvorum_read_repairs_total')})`,
        'keys by anti-entropy': `sum(${rate('kvorum_anti_entropy_repaired_keys_total')})`,
        'hints replayed': `sum(${rate('kvorum_hints_replayed_total')})`,
      },
      { unit: 'ops' },
    ),
    graph('Hints', 'Kept by each node for members that are down.', { '{{pod}}': `kvorum_hints{${OF}}` }),
    graph('Partitions not equal', 'Of each node, when they were last compared.', {
      '{{pod}}': `kvorum_anti_entropy_partitions{${OF}} - kvorum_anti_entropy_equal_partitions{${OF}}`,
    }),
    graph(
      'Moves',
      'Bytes that come to a node while data moves.',
      { '{{pod}}': rate('kvorum_move_bytes_total') },
      { unit: 'Bps' },
    ),
    graph(
      'Moves that wait',
      'Transfers that failed and are tried again: kvorum operations says why.',
      { '{{pod}}': rate('kvorum_move_delays_total') },
      { unit: 'ops' },
    ),
    graph('Damage', 'Records that failed their checksum, and replicas that take no part.', {
      'records of {{pod}}': `increase(kvorum_corrupt_records_total{${OF}}[1h])`,
      '{{pod}} is out': `kvorum_replica_out{${OF}}`,
    }),
  ],
};

const NODES: Row = {
  title: 'Nodes',
  panels: [
    graph(
      'fsync, p99',
      'A disk above a quarter of a second is slow.',
      { '{{pod}}': quantile(0.99, 'kvorum_storage_fsync_duration_seconds', 'pod') },
      { unit: 's' },
    ),
    graph(
      'Processor',
      'Cores. One full core is the limit of a node.',
      { '{{pod}}': rate('kvorum_process_cpu_seconds_total') },
      { unit: 'short' },
    ),
    graph(
      'Memory',
      'Resident.',
      { '{{pod}}': `kvorum_process_resident_memory_bytes{${OF}}` },
      { unit: 'bytes' },
    ),
    graph(
      'Event loop, p99',
      'How late it is.',
      { '{{pod}}': `kvorum_nodejs_eventloop_lag_p99_seconds{${OF}}` },
      { unit: 's' },
    ),
    graph(
      'Between nodes',
      'Bytes, and what waits.',
      {
        '{{direction}} {{pod}}': rate('kvorum_peer_link_bytes_total'),
        'waits in {{pod}}': `kvorum_peer_queue_bytes{${OF}}`,
      },
      { unit: 'bytes' },
    ),
    graph(
      'Round trip',
      'Of the last heartbeat. High for one: that node, or the way to it.',
      { '{{pod}} to {{peer}}': `kvorum_peer_round_trip_seconds{${OF}}` },
      { unit: 's' },
    ),
  ],
};

const TOPOLOGY: Row = {
  title: 'Topology',
  panels: [
    graph('Leader', 'One node at a time.', { '{{pod}}': `kvorum_raft_is_leader{${OF}}` }),
    graph('Term', 'Rises with every election.', { '{{pod}}': `kvorum_raft_term{${OF}}` }),
    graph('Epochs behind', 'Of the newest that a node has.', {
      '{{pod}}': `scalar(max(kvorum_topology_epoch{${OF}})) - kvorum_topology_epoch{${OF}}`,
    }),
  ],
};

/** The operator is in a namespace of its own, and of no cluster. */
const OPERATOR: Row = {
  title: 'Operator',
  panels: [
    graph('Leader', 'One pod acts at a time.', { '{{pod}}': 'kvorum_operator_is_leader' }),
    graph(
      'Reconciles',
      'By what they ended with. An idle operator looks at each cluster now and then.',
      { '{{result}}': 'sum by (result) (rate(kvorum_operator_reconciles_total[$__rate_interval]))' },
      { unit: 'ops' },
    ),
    graph(
      'Time of a reconcile',
      'And of the longest that is under way.',
      {
        p99: 'histogram_quantile(0.99, sum by (le) (rate(kvorum_operator_reconcile_duration_seconds_bucket[$__rate_interval])))',
        'under way': 'max(kvorum_operator_longest_reconcile_seconds)',
      },
      { unit: 's' },
    ),
    graph('Queue', 'KVClusters that wait for a worker, or for their time.', {
      waiting: 'sum(kvorum_operator_queue_depth)',
      later: 'sum(kvorum_operator_queue_delayed)',
    }),
    graph(
      'Calls of the API server',
      'While nothing changes there are no writes.',
      {
        '{{verb}} {{code}}':
          'sum by (verb, code) (rate(kvorum_operator_api_requests_total[$__rate_interval]))',
      },
      { unit: 'ops', width: 16 },
    ),
  ],
};

export const ROWS: readonly Row[] = [WELL, REQUESTS, REPLICATION, NODES, TOPOLOGY, OPERATOR];
