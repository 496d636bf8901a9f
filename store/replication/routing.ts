import { replicaSetsOf } from '../core/moves/rules.ts';
import type { PartitionView, ReplicaSets } from '../core/quorum/replica-sets.ts';
import type { MemberId } from '../core/raft/types.ts';
import { memberName } from '../core/topology/members.ts';
import type { Epoch, TopologyState } from '../core/topology/types.ts';
import type { Routing } from './types.ts';

export type RoutingOptions = { readonly self: MemberId; readonly partitions: number };

export type RoutingDeps = {
  /** As this member has applied it. */
  readonly topology: {
    readonly state: TopologyState | undefined;
    onChange(listener: () => void): () => void;
    waitFor(condition: (epoch: Epoch) => boolean, signal: AbortSignal): Promise<boolean>;
  };
  /** As far as gossip tells. */
  isUp(member: MemberId): boolean;
  /** Calls `listener` whenever gossip may have changed its mind, also where it has not; returns how to end that. */
  onLiveness(listener: () => void): () => void;
  /** What an answer of that member has taken of late; undefined: not known. Without it the load is spread evenly. */
  latencyMs?(member: MemberId): number | undefined;
};

/** A routing that its owner ends, and tells when latencies have changed much. */
export type OwnedRouting = Routing & { reorder(): void; close(): void };

/**
 * Views are made when they are first asked for and kept until the topology, or who is up, has changed: the hot path is a
 * look into an array.
 */
export function createRouting(options: RoutingOptions, deps: RoutingDeps): OwnedRouting {
  const { self, partitions } = options;
  const { topology } = deps;
  const listeners = new Set<() => void>();
  let state = topology.state;
  let up = upMembers(state, self, deps);
  let views: (PartitionView | undefined)[] = [];

  const follow = (): void => {
    const before = up;
    const isSame = state === topology.state;
    state = topology.state;
    up = upMembers(state, self, deps);
    if (isSame && isEqual(before, up)) return;
    views = [];
    for (const listener of [...listeners]) listener();
  };
  const forgetTopology = topology.onChange(follow);
  const forgetLiveness = deps.onLiveness(follow);

  const makeView = (partition: number): PartitionView | undefined => {
    const placed = state?.partitions[partition];
    if (placed === undefined) return undefined;
    const order = (members: readonly MemberId[]): readonly MemberId[] =>
      askingOrder(members, { partition, self, up, latencyMs: deps.latencyMs });
    const view: PartitionView = { epoch: placed.epoch, sets: inOrder(replicaSetsOf(placed), order) };
    views[partition] = view;
    return view;
  };

  return {
    self,
    partitions,
    viewOf(partition) {
      // Whoever listens to the topology before this does must not be shown the sets of the one before.
      if (state !== topology.state) follow();
      return views[partition] ?? makeView(partition);
    },
    isUp: (member) =>
      (topology.state?.members.has(member) ?? false) && (member === self || deps.isUp(member)),
    nameOf: (member) => memberName(topology.state, member),
    waitForEpoch: (epoch, signal) => topology.waitFor((applied) => applied >= epoch, signal),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reorder() {
      views = [];
    },
    close() {
      forgetTopology();
      forgetLiveness();
      listeners.clear();
    },
  };
}

function inOrder(
  sets: ReplicaSets,
  order: (members: readonly MemberId[]) => readonly MemberId[],
): ReplicaSets {
  if (sets.type === 'still') return { type: 'still', set: order(sets.set) };
  return { type: sets.type, from: order(sets.from), to: order(sets.to) };
}

export type AskingOrderOptions = {
  readonly partition: number;
  readonly self: MemberId;
  readonly up: ReadonlySet<MemberId>;
  readonly latencyMs?: ((member: MemberId) => number | undefined) | undefined;
};

/**
 * In which order to ask: this member, those that are up, the others. Those of one kind go by latency where it is known;
 * else the set is rotated by partition and asker, so that no replica is everybody's first.
 */
export function askingOrder(replicas: readonly MemberId[], options: AskingOrderOptions): readonly MemberId[] {
  const { partition, self, up, latencyMs } = options;
  const first = (partition + self) % Math.max(1, replicas.length);
  const rotated = [...replicas.slice(first), ...replicas.slice(0, first)];
  const rank = (member: MemberId): number => (member === self ? 0 : up.has(member) ? 1 : 2);
  // An unknown latency sorts first: only who is asked can show how fast it is. Sorting is stable.
  const latency = (member: MemberId): number => latencyMs?.(member) ?? 0;
  return rotated.sort((a, b) => rank(a) - rank(b) || latency(a) - latency(b));
}

function upMembers(
  state: TopologyState | undefined,
  self: MemberId,
  deps: Pick<RoutingDeps, 'isUp'>,
): ReadonlySet<MemberId> {
  const members = [...(state?.members.keys() ?? [])];
  return new Set(members.filter((member) => member === self || deps.isUp(member)));
}

function isEqual(a: ReadonlySet<MemberId>, b: ReadonlySet<MemberId>): boolean {
  return a.size === b.size && [...a].every((member) => b.has(member));
}
