import type { Liveness } from '../core/gossip/messages.ts';
import type { RaftStatus } from '../core/raft/status.ts';
import type { KvorumNode } from '../node/start-node.ts';
import type { ClusterSnapshot, PeerSnapshot } from './cluster-metrics.ts';

/** The cluster as the metrics show it now; undefined while the node takes no part in one. */
export function clusterSnapshot(
  { cluster, internals }: KvorumNode,
  peers: PeerSnapshot,
): ClusterSnapshot | undefined {
  const { member } = internals;
  if (member === undefined) return undefined;
  const { probes, probesFailed, suspicionsRaised, refutations } = member.gossip.machine.counters;
  return {
    raft: raftOf(member.driver.status(), member.driver.snapshotBytes),
    quorum: cluster.status().quorum.state,
    epoch: member.topology.epoch,
    members: countLiveness(cluster.members().map(({ liveness }) => liveness)),
    gossip: { probes, failedProbes: probesFailed, suspicions: suspicionsRaised, refutations },
    peers,
  };
}

function raftOf(status: RaftStatus, snapshotBytes: number): ClusterSnapshot['raft'] {
  const { term, role, leader, commit, applied, first, last } = status;
  return {
    term,
    isLeader: role === 'leader',
    hasLeader: leader !== undefined,
    commitIndex: commit,
    appliedIndex: applied,
    logEntries: last.index - first + 1,
    snapshotBytes,
  };
}

function countLiveness(members: readonly Liveness[]): ClusterSnapshot['members'] {
  const counts: Partial<Record<Liveness, number>> = {};
  for (const liveness of members) counts[liveness] = (counts[liveness] ?? 0) + 1;
  return counts;
}
