import type { MemberId } from '../raft/types.ts';
import type { Epoch, MoveSession, Partition } from '../topology/types.ts';
import { enteringOf, syncedSourcesOf } from './rules.ts';

/** What a member owes a move, by the topology alone: it does that, makes it durable, and says so in a command. */
export type Duty =
  /**
   * Empties the partition and takes over the highest floor and watermark of F, in one synced batch with the session; says so
   * once the bulk of the data is there as well.
   */
  | { readonly type: 'enter'; readonly from: readonly MemberId[] }
  /** Says so once `mayConfirm` holds. */
  | { readonly type: 'confirm' }
  | { readonly type: 'synchronise'; readonly with: readonly MemberId[] };

export function dutiesOf({ replicas, move }: Partition, member: MemberId): readonly Duty[] {
  if (move === undefined) return [];
  switch (move.stage) {
    case 'joint': {
      const isDue = enteringOf(replicas, move.to).includes(member) && !move.entered.includes(member);
      return isDue ? [{ type: 'enter', from: replicas }] : [];
    }
    case 'transfer': {
      const open = move.to.includes(member)
        ? move.sources.filter(
            (source) => source !== member && !syncedSourcesOf(move, member).includes(source),
          )
        : [];
      const synchronise: readonly Duty[] = open.length > 0 ? [{ type: 'synchronise', with: open }] : [];
      return [...confirmDuty(replicas, move.confirmed, member), ...synchronise];
    }
    case 'switch':
      return confirmDuty(replicas, move.confirmed, member);
  }
}

function confirmDuty(
  from: readonly MemberId[],
  confirmed: readonly MemberId[],
  member: MemberId,
): readonly Duty[] {
  return from.includes(member) && !confirmed.includes(member) ? [{ type: 'confirm' }] : [];
}

/** What a member knows of itself. */
export type LocalFacts = {
  /** Below it the member serves nothing, after a restart either. */
  readonly durableEpoch: Epoch;
  /** Writes that it accepted under an epoch older than the partition's, and that are neither durable nor refused yet. */
  readonly olderWritesOpen: number;
};

/**
 * Whether a member of F may confirm the partition's epoch. Before the epoch is durable a restart could bring back the old one;
 * and a write that is durable only later would be acknowledged under the old one, and missing from what was transferred.
 */
export function mayConfirm({ epoch, move }: Partition, local: LocalFacts): boolean {
  if (move === undefined || move.stage === 'joint') return false;
  return local.durableEpoch >= epoch && local.olderWritesOpen === 0;
}

/**
 * Whether a member has to enter, given the session that its directory entered last. Judged by the session alone: a member that
 * compared sets could empty the partition a second time, when it already counts in the quorums of T.
 */
export function mustEnter(
  { replicas, move }: Partition,
  member: MemberId,
  enteredSession: MoveSession | undefined,
): boolean {
  if (move?.stage !== 'joint' || !enteringOf(replicas, move.to).includes(member)) return false;
  return enteredSession !== move.session;
}
