import { askedSet } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { Routing } from '../types.ts';
import type { ExchangeReplica } from './exchange-options.ts';

/**
 * Whom this member compares with, and which partitions: those of the set that is asked, which is complete. A member that
 * enters a set gets its data by the move.
 */
export function sharedPartitions(
  routing: Routing,
  replica: ExchangeReplica,
): ReadonlyMap<MemberId, readonly PartitionAt[]> {
  const shared = new Map<MemberId, PartitionAt[]>();
  for (const partition of replica.ownedPartitions()) {
    const view = routing.viewOf(partition);
    if (view === undefined || replica.owned(partition)?.epoch !== view.epoch) continue;
    const set = askedSet(view.sets);
    if (!set.includes(routing.self)) continue;
    for (const member of set) {
      if (member === routing.self) continue;
      const partitions = shared.get(member) ?? [];
      shared.set(member, partitions);
      partitions.push({ partition, epoch: view.epoch });
    }
  }
  return shared;
}

/** Of two members one walks, so that no key is repaired from both sides; who it is is spread over the members. */
export function isWalker(self: MemberId, other: MemberId): boolean {
  return (self + other) % 2 === 0 ? self < other : self > other;
}

/**
 * The first live one of a replica set, in an order that all members agree on and that differs between partitions; undefined
 * where none is up. It usually starts the rounds; any other may.
 */
export function firstLive(routing: Routing, partition: number): MemberId | undefined {
  const view = routing.viewOf(partition);
  if (view === undefined) return undefined;
  const set = [...askedSet(view.sets)].sort((a, b) => a - b);
  const start = partition % set.length;
  const order = [...set.slice(start), ...set.slice(0, start)];
  return order.find((member) => member === routing.self || routing.isUp(member));
}
