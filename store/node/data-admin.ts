import { ClusterError } from '../cluster/cluster-admin.ts';
import type { MemberId } from '../core/raft/types.ts';
import { describeBalance } from '../core/ring/describe-balance.ts';
import { partitionOfSlot, slotOf } from '../core/ring/slot.ts';
import { memberName } from '../core/topology/members.ts';
import type { Move, Partition, TopologyState } from '../core/topology/types.ts';
import type { ExplainRequest } from '../peer/data-messages.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  DataAdmin,
  ExplainedReplica,
  KeyExplanation,
  KeyPlace,
  MovingTo,
  RingView,
} from '../replication/data-admin.ts';
import { explainVerdict } from '../replication/explain-verdict.ts';
import type { DataOutcome } from '../replication/types.ts';
import type { Namespace } from '../storage/kv-store.ts';

export type DataAdminDeps = Pick<DataAdmin, 'verify' | 'scanLocal' | 'status'> & {
  readonly clock: Clock;
  readonly self: MemberId;
  /** As this member has applied it. */
  topology(): TopologyState | undefined;
  /** As far as gossip tells. */
  isUp(member: MemberId): boolean;
  /** Throws KvError NAMESPACE_NOT_FOUND. */
  requireNamespace(name: string): Namespace;
  /** Asks a member, which may be this one. Never rejects. */
  explainAt(to: MemberId, request: ExplainRequest): Promise<DataOutcome>;
};

/** Where data is and whether it is safe, put together from the topology, gossip and the word of the replicas. */
export function createDataAdmin(deps: DataAdminDeps): DataAdmin {
  return {
    ring: () => ringOf(requirePlaced(deps), deps),
    locate: (key) => placeOf(requirePlaced(deps), key, deps),
    explain: (namespace, key) => explain(deps, namespace, key),
    verify: (scope, onProgress, signal) => {
      requirePlaced(deps);
      return deps.verify(scope, onProgress, signal);
    },
    scanLocal: (namespace, query) => deps.scanLocal(namespace, query),
    status: () => deps.status(),
  };
}

function requirePlaced({ topology }: DataAdminDeps): TopologyState {
  const state = topology();
  if (state === undefined || state.partitions.length === 0)
    throw new ClusterError('CLUSTER_FORMING', 'the partitions are not placed yet');
  return state;
}

function ringOf(state: TopologyState, { isUp }: DataAdminDeps): RingView {
  const { partitions, replicationFactor } = state.settings;
  const members = [...state.members.values()].toSorted((a, b) => a.number - b.number);
  const replicaSets = state.partitions.map(({ replicas }) => replicas);
  // Who is being drained should hold nothing: its ideal is 0.
  const keepers = new Map(members.flatMap((each) => (each.isDraining ? [] : [[each.number, each]])));
  return {
    epoch: state.epoch,
    partitions,
    replicationFactor,
    members: members.map(({ number, name, httpAddress, respAddress, zone, weight }) => ({
      ...{ number, name, httpAddress, respAddress, zone, weight },
      isUp: isUp(number),
    })),
    sets: state.partitions.map(({ replicas, epoch, move }) => ({ replicas, epoch, ...movingTo(move) })),
    balance: describeBalance(replicaSets, keepers),
  };
}

function placeOf(state: TopologyState, key: Uint8Array, { isUp }: DataAdminDeps): KeyPlace {
  const slot = slotOf(key);
  const partition = partitionOfSlot(slot, state.settings.partitions);
  const { replicas, epoch, move } = state.partitions[partition] as Partition;
  return {
    slot,
    partition,
    epoch,
    ...movingTo(move),
    replicas: replicas.map((member, place) => ({
      member,
      name: memberName(state, member),
      isUp: isUp(member),
      isPrimary: place === 0,
      httpAddress: state.members.get(member)?.httpAddress ?? '',
    })),
  };
}

export function movingTo(move: Move | undefined): MovingTo {
  return move === undefined ? {} : { movingTo: move.to, stage: move.stage };
}

/** Every member that is up is asked: those that own nothing of the key may keep hints for those that do. */
async function explain(deps: DataAdminDeps, namespace: string, key: Uint8Array): Promise<KeyExplanation> {
  const state = requirePlaced(deps);
  const { id: namespaceId } = deps.requireNamespace(namespace);
  const { slot, partition, epoch, replicas } = placeOf(state, key, deps);
  const request: ExplainRequest = { type: 'explain', partition, epoch, namespaceId, key };
  const owners = replicas.map(({ member }) => member);
  const others = [...state.members.keys()].filter((member) => !owners.includes(member) && deps.isUp(member));
  const asked = [...owners, ...others];
  const outcomes = await Promise.all(asked.map((member) => deps.explainAt(member, request)));
  const answers = asked.map((member, i) => answerOf(state, member, deps, outcomes[i] as DataOutcome));
  const evidence = {
    epoch,
    replicas: answers.slice(0, owners.length),
    hints: answers.flatMap(({ name, report }) =>
      (report?.hints ?? []).map(({ owner, version }) => ({
        keeper: name,
        owner: memberName(state, owner),
        version,
      })),
    ),
  };
  return { slot, partition, ...evidence, ...explainVerdict(evidence, deps.clock.nowMs()) };
}

function answerOf(
  state: TopologyState,
  member: MemberId,
  { isUp }: DataAdminDeps,
  outcome: DataOutcome,
): ExplainedReplica {
  const who = { member, name: memberName(state, member), isUp: isUp(member) };
  if (outcome.type === 'unreachable')
    return { ...who, isReachable: false, report: undefined, error: outcome.code };
  const { reply } = outcome;
  if (reply.type === 'explain') {
    const { type: _, ...report } = reply;
    return { ...who, isReachable: true, report, error: undefined };
  }
  const error = reply.type === 'data-refused' ? `${reply.code}: ${reply.message}` : `answered ${reply.type}`;
  return { ...who, isReachable: true, report: undefined, error };
}
