import type { Metric, Registry } from 'prom-client';
import type { QuorumStatus } from '../cluster/cluster-admin.ts';
import type { ProposalOutcomeName } from '../cluster/leader-calls.ts';
import type { Liveness } from '../core/gossip/messages.ts';
import type { HelloRefusalCode } from '../peer/messages.ts';
import { CountedHistogram, type ScrapedMetric, type ScrapedValue, scraped } from './scraped-metric.ts';

/** What a node counts of its cluster. Nothing is shown until somebody watches, and tells something. */
export type ClusterMetrics = {
  /** Asks for the cluster at each scrape; undefined where this node is of none yet. */
  watchCluster(read: () => ClusterSnapshot | undefined): void;
  /** A change that this node was asked to propose as the leader, by its own clients or by another member. */
  observeProposal(outcome: ProposalOutcomeName, seconds: number): void;
};

/** Counts only grow, but those of gossip begin anew where the node takes part under another number. */
export type ClusterSnapshot = {
  readonly raft: {
    readonly term: number;
    readonly isLeader: boolean;
    readonly hasLeader: boolean;
    readonly commitIndex: number;
    readonly appliedIndex: number;
    /** Entries held in the log, behind the snapshot. */
    readonly logEntries: number;
    /** Of the newest snapshot. */
    readonly snapshotBytes: number;
  };
  readonly quorum: QuorumStatus['state'];
  readonly epoch: number;
  readonly members: Readonly<Partial<Record<Liveness, number>>>;
  readonly gossip: {
    readonly probes: number;
    readonly failedProbes: number;
    readonly suspicions: number;
    readonly refutations: number;
  };
  readonly peers: PeerSnapshot;
};

export type PeerSnapshot = {
  /** Over all links of this process, closed ones too. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly droppedMessages: number;
  /** Waiting now. */
  readonly queuedBytes: number;
  readonly links: readonly { readonly name: string; readonly roundTripSeconds: number | undefined }[];
  readonly refusedHandshakes: Readonly<Partial<Record<HelloRefusalCode, number>>>;
};

/** A series per peer is kept to so many peers; in a larger cluster the first by name are shown. */
export const PEERS_SHOWN_MAX = 100;

const QUORUM_STATES = ['ok', 'degraded', 'lost', 'none'] as const;
const LIVENESS = ['alive', 'suspect', 'dead', 'left'] as const;
const PROPOSAL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Row = readonly [
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  values: (snapshot: ClusterSnapshot) => readonly ScrapedValue[],
];

const one = (value: number | boolean): readonly ScrapedValue[] => [{ labels: {}, value: Number(value) }];

const ROWS: readonly Row[] = [
  ['gauge', 'kvorum_raft_term', 'Term of the topology group', ({ raft }) => one(raft.term)],
  ['gauge', 'kvorum_raft_is_leader', '1 where this node leads', ({ raft }) => one(raft.isLeader)],
  ['gauge', 'kvorum_raft_has_leader', '1 where this node knows a leader', ({ raft }) => one(raft.hasLeader)],
  ['gauge', 'kvorum_raft_commit_index', 'Last committed log entry', ({ raft }) => one(raft.commitIndex)],
  ['gauge', 'kvorum_raft_applied_index', 'Last applied log entry', ({ raft }) => one(raft.appliedIndex)],
  ['gauge', 'kvorum_raft_log_entries', 'Entries held in the log', ({ raft }) => one(raft.logEntries)],
  [
    'gauge',
    'kvorum_raft_snapshot_bytes',
    'Size of the newest snapshot',
    ({ raft }) => one(raft.snapshotBytes),
  ],
  ['gauge', 'kvorum_cluster_quorum', '1 for the state that holds', ({ quorum }) => quorumValues(quorum)],
  ['gauge', 'kvorum_topology_epoch', 'Epoch that this node has applied', ({ epoch }) => one(epoch)],
  ['gauge', 'kvorum_members', 'Members by what gossip says of them', ({ members }) => memberValues(members)],
  ['counter', 'kvorum_gossip_probes_total', 'Members probed', ({ gossip }) => one(gossip.probes)],
  [
    'counter',
    'kvorum_gossip_failed_probes_total',
    'Probes without any answer',
    ({ gossip }) => one(gossip.failedProbes),
  ],
  [
    'counter',
    'kvorum_gossip_suspicions_total',
    'Members that this node found silent',
    ({ gossip }) => one(gossip.suspicions),
  ],
  [
    'counter',
    'kvorum_gossip_refutations_total',
    'Suspicions of this node that it refuted',
    ({ gossip }) => one(gossip.refutations),
  ],
  [
    'counter',
    'kvorum_peer_link_bytes_total',
    'Bytes on the links to other nodes',
    ({ peers }) => byteValues(peers),
  ],
  [
    'gauge',
    'kvorum_peer_queue_bytes',
    'Bytes that wait for other nodes',
    ({ peers }) => one(peers.queuedBytes),
  ],
  [
    'counter',
    'kvorum_peer_dropped_messages_total',
    'Messages to other nodes that were dropped',
    ({ peers }) => one(peers.droppedMessages),
  ],
  [
    'gauge',
    'kvorum_peer_round_trip_seconds',
    'Last heartbeat of the link to a node',
    ({ peers }) => roundTripValues(peers),
  ],
  [
    'counter',
    'kvorum_peer_refused_handshakes_total',
    'Handshakes refused by either side',
    ({ peers }) => refusalValues(peers),
  ],
];

export function clusterMetrics(registry: Registry): ClusterMetrics {
  let read = (): ClusterSnapshot | undefined => undefined;
  const register = (metric: ScrapedMetric): void => registry.registerMetric(metric as unknown as Metric);
  for (const [type, name, help, values] of ROWS) {
    const rows = (): readonly ScrapedValue[] => {
      const snapshot = read();
      return snapshot === undefined ? [] : values(snapshot);
    };
    register(scraped(type, name, help, rows));
  }
  const proposals = new Map<ProposalOutcomeName, number>();
  const name = 'kvorum_raft_proposals_total';
  const rows = (): ScrapedValue[] =>
    Array.from(proposals, ([outcome, value]) => ({ labels: { outcome }, value }));
  register(scraped('counter', name, 'Changes that this node was asked for as the leader', rows));
  const latency = new CountedHistogram(PROPOSAL_BUCKETS);
  const help = 'From a proposed change of the topology to its outcome';
  register(scraped('histogram', 'kvorum_raft_proposal_duration_seconds', help, (own) => latency.values(own)));
  return {
    watchCluster: (next) => {
      read = next;
    },
    observeProposal: (outcome, seconds) => {
      proposals.set(outcome, (proposals.get(outcome) ?? 0) + 1);
      latency.observe(seconds);
    },
  };
}

function quorumValues(now: QuorumStatus['state']): ScrapedValue[] {
  return QUORUM_STATES.map((state) => ({ labels: { state }, value: Number(state === now) }));
}

function memberValues(members: ClusterSnapshot['members']): ScrapedValue[] {
  return LIVENESS.map((liveness) => ({ labels: { liveness }, value: members[liveness] ?? 0 }));
}

function byteValues({ sentBytes, receivedBytes }: PeerSnapshot): ScrapedValue[] {
  return [
    { labels: { direction: 'sent' }, value: sentBytes },
    { labels: { direction: 'received' }, value: receivedBytes },
  ];
}

function roundTripValues({ links }: PeerSnapshot): ScrapedValue[] {
  return links
    .flatMap(({ name, roundTripSeconds }) =>
      roundTripSeconds === undefined ? [] : [{ labels: { peer: name }, value: roundTripSeconds }],
    )
    .sort((a, b) => (a.labels.peer < b.labels.peer ? -1 : 1))
    .slice(0, PEERS_SHOWN_MAX);
}

function refusalValues({ refusedHandshakes }: PeerSnapshot): ScrapedValue[] {
  return Object.entries(refusedHandshakes).map(([code, value]) => ({ labels: { code }, value }));
}
