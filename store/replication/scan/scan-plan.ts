import { type Level, needed } from '../../core/quorum/quorum-sizes.ts';
import { askedSet, type PartitionView } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';

export type ScanPlanOptions = {
  readonly self: MemberId;
  readonly level: Level;
  /** False: nobody sends values. */
  readonly withValues: boolean;
  isUp(member: MemberId): boolean;
  /** Has failed of late: asked only where nobody else is left. */
  isAvoided(member: MemberId): boolean;
};

/** Whom a step asks for what: each partition at R members, one of which sends its records in full. */
export type ScanPlan = {
  readonly asks: ReadonlyMap<MemberId, readonly AskedPartition[]>;
  /** Answers that make a quorum, per partition. */
  readonly needed: ReadonlyMap<number, number>;
};
export type AskedPartition = PartitionAt & { readonly isFull: boolean };

/**
 * Covers every partition R times with few members: this member first, since it costs no way, then whoever covers most of
 * what is left (the greedy set cover, within a factor of ln P of the fewest; Chvatal 1979).
 */
export function planScan(views: readonly PartitionView[], options: ScanPlanOptions): ScanPlan {
  const parts = views.map((view, partition) => {
    const members = askedSet(view.sets);
    return { partition, epoch: view.epoch, members, needed: needed(options.level, members.length) };
  });
  const chosen = chooseMembers(parts, options);
  const asks = new Map<MemberId, AskedPartition[]>();
  for (const { partition, epoch, members, needed: r } of parts) {
    const asked = chosen.filter((member) => members.includes(member)).slice(0, r);
    const fullAt = options.withValues ? fullOf(asked, partition, options.self) : undefined;
    for (const member of asked) {
      const list = asks.get(member) ?? [];
      list.push({ partition, epoch, isFull: member === fullAt });
      asks.set(member, list);
    }
  }
  return { asks, needed: new Map(parts.map((part) => [part.partition, part.needed])) };
}

type Part = {
  readonly partition: number;
  readonly members: readonly MemberId[];
  readonly needed: number;
};

/** Members in the order in which they were chosen. */
function chooseMembers(parts: readonly Part[], options: ScanPlanOptions): readonly MemberId[] {
  const owned = new Map<MemberId, Part[]>();
  for (const part of parts) {
    for (const member of part.members) {
      const list = owned.get(member);
      if (list === undefined) owned.set(member, [part]);
      else list.push(part);
    }
  }
  const missing = new Map(parts.map((part) => [part, part.needed]));
  const chosen: MemberId[] = [];
  const choose = (member: MemberId): void => {
    chosen.push(member);
    for (const part of owned.get(member) ?? []) missing.set(part, (missing.get(part) ?? 0) - 1);
    owned.delete(member);
  };
  const gainOf = (member: MemberId): number =>
    (owned.get(member) ?? []).filter((part) => (missing.get(part) ?? 0) > 0).length;
  for (const rank of [0, 1, 2, 3]) {
    const candidates = [...owned.keys()].filter((member) => rankOf(member, options) === rank);
    for (;;) {
      const best = bestOf(candidates, gainOf, options.self);
      if (best === undefined) break;
      choose(best);
    }
  }
  return chosen;
}

function rankOf(member: MemberId, { self, isUp, isAvoided }: ScanPlanOptions): number {
  if (isAvoided(member)) return 3;
  if (member === self) return 0;
  return isUp(member) ? 1 : 2;
}

/** Equal ones in a circle that begins at the asker, so that not all ask the same members. */
function bestOf(
  candidates: readonly MemberId[],
  gainOf: (member: MemberId) => number,
  self: MemberId,
): MemberId | undefined {
  let best: MemberId | undefined;
  let bestGain = 0;
  const isEarlier = (a: MemberId, b: MemberId): boolean => (a > self === b > self ? a < b : a > self);
  for (const member of candidates) {
    const gain = gainOf(member);
    const isBetter = gain > bestGain || (gain === bestGain && best !== undefined && isEarlier(member, best));
    if (gain === 0 || !isBetter) continue;
    best = member;
    bestGain = gain;
  }
  return best;
}

/** This member where it is asked; else one after the other, so that none sends all the values. */
function fullOf(asked: readonly MemberId[], partition: number, self: MemberId): MemberId | undefined {
  return asked.includes(self) ? self : asked[partition % Math.max(1, asked.length)];
}
