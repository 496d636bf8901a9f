import type { MemberId } from '../../core/raft/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { Carried } from './carry.ts';

/** One comparison of a partition with another member. */
export type ExchangeEntry = {
  readonly partition: number;
  readonly member: MemberId;
  readonly atMs: number;
  readonly isEqual: boolean;
  /** Why it could not be compared; undefined where it was. */
  readonly failure: string | undefined;
};

export type RoundEntry = {
  readonly partition: number;
  readonly atMs: number;
  readonly floor: Version | undefined;
  readonly outcome: RoundOutcomeType;
  /** Why it did not settle, for people; empty where it did. */
  readonly reason: string;
};

/** `held-back`: a member of the set is down, or did not take part. */
export type RoundOutcomeType = 'settled' | 'held-back' | 'void' | 'unsettled';

export type AntiEntropyStatus = {
  /** Of comparisons of a partition with a member that this member made last: each counts once. */
  readonly equal: number;
  readonly differing: number;
  readonly failed: number;
  readonly exchanges: readonly ExchangeEntry[];
  readonly rounds: readonly RoundEntry[];
  readonly counters: AntiEntropyCounters;
};

/** Since the start. */
export type AntiEntropyCounters = {
  /** Requests for roots that were answered. */
  readonly comparisons: number;
  readonly walks: number;
  readonly keysRepaired: number;
  /** Records that were offered, and refused since the other side may have collected them. */
  readonly keysIgnored: number;
  readonly recordBytes: number;
  readonly comparedBytes: number;
  readonly treesRebuilt: number;
  readonly sealedDifferences: number;
  readonly roundsSettled: number;
  readonly roundsHeldBack: number;
  readonly recordsCollected: number;
};

const ZERO: AntiEntropyCounters = {
  comparisons: 0,
  walks: 0,
  keysRepaired: 0,
  keysIgnored: 0,
  recordBytes: 0,
  comparedBytes: 0,
  treesRebuilt: 0,
  sealedDifferences: 0,
  roundsSettled: 0,
  roundsHeldBack: 0,
  recordsCollected: 0,
};

/** What anti-entropy has seen: at most one entry for each partition and member, and one for each partition's last round. */
export class ExchangeLog {
  readonly #exchanges = new Map<number, Map<MemberId, ExchangeEntry>>();
  readonly #asked = new Map<number, Map<MemberId, number>>();
  readonly #rounds = new Map<number, RoundEntry>();
  #counters = ZERO;

  count(counts: Partial<AntiEntropyCounters>): void {
    const next: Record<string, number> = { ...this.#counters };
    for (const [name, more] of Object.entries(counts)) next[name] = (next[name] ?? 0) + more;
    this.#counters = next as AntiEntropyCounters;
  }

  countCarried({ stored, ignored, bytes }: Carried): void {
    this.count({ keysRepaired: stored, keysIgnored: ignored, recordBytes: bytes });
  }

  noteExchange(entry: ExchangeEntry): void {
    const ofPartition = this.#exchanges.get(entry.partition) ?? new Map<MemberId, ExchangeEntry>();
    this.#exchanges.set(entry.partition, ofPartition.set(entry.member, entry));
  }

  noteRound(entry: RoundEntry): void {
    this.#rounds.set(entry.partition, entry);
    if (entry.outcome === 'settled') this.count({ roundsSettled: 1 });
    if (entry.outcome === 'held-back') this.count({ roundsHeldBack: 1 });
  }

  /** `member` compares the partition's root with its own. */
  noteAsked(partition: number, member: MemberId, atMs: number): void {
    const ofPartition = this.#asked.get(partition) ?? new Map<MemberId, number>();
    this.#asked.set(partition, ofPartition.set(member, atMs));
  }

  /** For `explain`: when the partition was last compared with whom, whoever of the two asked. */
  lastExchange(partition: number): readonly { readonly member: MemberId; readonly atMs: number }[] {
    const last = new Map(this.#asked.get(partition));
    for (const { member, atMs, failure } of this.#exchanges.get(partition)?.values() ?? [])
      if (failure === undefined) last.set(member, Math.max(atMs, last.get(member) ?? 0));
    return [...last].map(([member, atMs]) => ({ member, atMs }));
  }

  /** Partitions and members that are no longer together are left out of the status from now on. */
  keepOnly(isShared: (partition: number, member: MemberId) => boolean): void {
    for (const byPartition of [this.#exchanges, this.#asked]) {
      for (const [partition, members] of byPartition) {
        for (const member of members.keys()) if (!isShared(partition, member)) members.delete(member);
        if (members.size === 0) byPartition.delete(partition);
      }
    }
  }

  status(): AntiEntropyStatus {
    const exchanges = [...this.#exchanges.values()].flatMap((members) => [...members.values()]);
    const compared = exchanges.filter(({ failure }) => failure === undefined);
    const equal = compared.filter(({ isEqual }) => isEqual).length;
    return {
      equal,
      differing: compared.length - equal,
      failed: exchanges.length - compared.length,
      exchanges,
      rounds: [...this.#rounds.values()],
      counters: this.#counters,
    };
  }
}
