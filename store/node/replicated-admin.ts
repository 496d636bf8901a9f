import { ClusterError } from '../cluster/cluster-admin.ts';
import type { TopologyReplica } from '../cluster/topology-replica.ts';
import type { MemberId } from '../core/raft/types.ts';
import { type TopologyState, toEpoch } from '../core/topology/types.ts';
import type { ExplainRequest, ScanRequest } from '../peer/data-messages.ts';
import type {
  DataAdmin,
  DataStatus,
  VerifiedMember,
  VerifyOutcome,
  VerifyProgress,
  VerifyScope,
} from '../replication/data-admin.ts';
import type { AntiEntropy } from '../replication/exchange/anti-entropy.ts';
import { DEFAULT_VERIFY_OPTIONS, verifyCluster } from '../replication/exchange/verify-cluster.ts';
import type { ReplicaLinks } from '../replication/links/replica-links.ts';
import type { LocalReplica } from '../replication/replica/replica.ts';
import type { DataOutcome, DataPeers, HintKeeper, Routing } from '../replication/types.ts';
import type { Namespaces } from '../storage/namespaces.ts';
import { answerData, type DataAnswerers } from './answer-data.ts';
import { createDataAdmin } from './data-admin.ts';
import type { DataServiceDeps } from './data-service.ts';
import { scanOwn } from './scan-own.ts';

export type ReplicatedAdminDeps = DataServiceDeps & {
  readonly namespaces: Namespaces;
  readonly replica: LocalReplica;
  readonly routing: Routing;
  readonly hints: HintKeeper;
  readonly antiEntropy: AntiEntropy;
  readonly peers: DataPeers;
  readonly links: Pick<ReplicaLinks, 'counters'>;
  readonly answerers: DataAnswerers;
};

const EXPLAIN_MS = 2000;

export function replicatedAdmin(deps: ReplicatedAdminDeps): DataAdmin {
  const { clock, member, namespaces, routing, peers, answerers } = deps;
  return createDataAdmin({
    clock,
    self: routing.self,
    topology: () => member.topology.state,
    isUp: (number) => routing.isUp(number),
    requireNamespace: (name) => namespaces.require(name),
    explainAt: (to: MemberId, request: ExplainRequest): Promise<DataOutcome> =>
      peers.request({ to, ...request }, { timeoutMs: EXPLAIN_MS }),
    verify: (scope, onProgress) => verify(deps, scope, onProgress),
    scanLocal: (name, query) => {
      const { id } = namespaces.require(name);
      const partitions = deps.replica.ownedPartitions().map((partition) => ({
        partition,
        epoch: deps.replica.owned(partition)?.epoch ?? toEpoch(0),
      }));
      const scan = (page: ScanRequest) => answerData(answerers, { ...page, to: routing.self }, routing.self);
      return scanOwn({ clock, partitions, scan }, id, query);
    },
    status: () => statusOf(deps),
  });
}

async function verify(
  { member, routing, peers, antiEntropy }: ReplicatedAdminDeps,
  scope: VerifyScope,
  onProgress: (progress: VerifyProgress) => void,
): Promise<VerifyOutcome> {
  const partitions = partitionsOf(member.topology, scope);
  const report = await verifyCluster(
    { ...DEFAULT_VERIFY_OPTIONS, partitions },
    { routing, peers, verify: (share) => antiEntropy.verify(share) },
    onProgress,
  );
  return { ...report, members: membersOf(member.topology, partitions, new Set(report.unproven)) };
}

/** All of them, or those that a member owns. */
function partitionsOf({ state }: TopologyReplica, { node }: VerifyScope): readonly number[] {
  const sets = state?.partitions ?? [];
  if (node === undefined) return sets.map((_, partition) => partition);
  const owner = [...(state?.members.values() ?? [])].find(({ name }) => name === node);
  if (owner === undefined) throw new ClusterError('MEMBER_NOT_FOUND', `there is no member '${node}'`);
  return sets.flatMap(({ replicas }, partition) => (replicas.includes(owner.number) ? [partition] : []));
}

function membersOf(
  { state }: TopologyReplica,
  partitions: readonly number[],
  unproven: ReadonlySet<number>,
): readonly VerifiedMember[] {
  const members = [...((state as TopologyState | undefined)?.members.values() ?? [])];
  return members
    .toSorted((a, b) => a.number - b.number)
    .map(({ number, name }) => {
      const own = partitions.filter((partition) => state?.partitions[partition]?.replicas.includes(number));
      const equal = own.filter((partition) => !unproven.has(partition)).length;
      return { member: number, name, partitions: own.length, equal, error: undefined };
    });
}

function statusOf({ replica, hints, antiEntropy, links }: ReplicatedAdminDeps): DataStatus {
  const { exchanges, counters, rounds } = antiEntropy.status();
  const owned = replica.ownedPartitions();
  const differing = new Set(exchanges.filter(({ isEqual }) => !isEqual).map(({ partition }) => partition));
  const compared = new Set(exchanges.map(({ partition }) => partition));
  const isBuilt = (partition: number): boolean => replica.owned(partition)?.tree !== undefined;
  const ready = owned.filter(isBuilt).length;
  const times = [...exchanges, ...rounds].map(({ atMs }) => atMs);
  return {
    replica: { state: replica.outReason === undefined ? 'ok' : 'out', reason: replica.outReason },
    hints: hints.status(),
    exchange: {
      lastRoundMs: times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b)),
      partitions: owned.length,
      partitionsEqual: owned.filter((partition) => compared.has(partition) && !differing.has(partition))
        .length,
      keysRepaired: counters.keysRepaired,
      bytesSent: counters.recordBytes,
    },
    trees: { ready, building: owned.length - ready },
    links: links.counters,
  };
}
