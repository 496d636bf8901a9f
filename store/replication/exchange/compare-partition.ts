import type { MemberId } from '../../core/raft/types.ts';
import { ABOVE_ALL, judgeKey, type KeyVerdict } from '../../core/round/judge-key.ts';
import type { LeafEntry, PartitionAt } from '../../peer/data-messages.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { OwnedPartition } from '../types.ts';
import { type Cargo, type Carried, NOTHING } from './carry.ts';
import { CarryQueue } from './carry-queue.ts';
import { type AskFailure, type DataAsker, isFailure } from './data-asker.ts';
import type { ExchangeLimits } from './exchange-options.ts';
import { findLeaves } from './find-leaves.ts';
import { holdingsOf, type Watermarks } from './holdings.ts';
import { type MergedKey, mergedLeaves } from './merged-leaves.ts';
import { type SealedDifference, suspectsOf } from './sealed-check.ts';

export type CompareOptions = {
  readonly self: MemberId;
  readonly limits: ExchangeLimits;
  /** Compare no more leaves than this, where the last comparison found leaves without a difference. */
  readonly leavesMax: number;
};

export type CompareDeps = {
  readonly clock: Clock;
  readonly asker: DataAsker;
  readonly carry: (cargo: Cargo, signal: AbortSignal) => Promise<Carried>;
};

/** One exchange: what a comparison of one partition with one member found and did. */
export type Compared = {
  readonly type: 'compared';
  /** Leaves that differ, in both of two walks. */
  readonly leaves: number;
  /** Keys of those leaves that differ, of whatever kind. */
  readonly differing: number;
  readonly carried: Carried;
  /** Of hashes and of keys with their versions. */
  readonly comparedBytes: number;
  readonly suspects: readonly SealedDifference[];
};

/** What an entry of a leaf takes beside its key, about. */
const ENTRY_BYTES = 24;

/** Compares a partition with `member`'s replica, and carries the newest of each differing key to the side that lacks it. */
export async function comparePartition(
  options: CompareOptions,
  deps: CompareDeps,
  owned: OwnedPartition,
  member: MemberId,
  watermarks: Watermarks,
  signal: AbortSignal,
): Promise<Compared | AskFailure> {
  const { limits, self, leavesMax } = options;
  const at = { partition: owned.partition, epoch: owned.epoch };
  const found = await stillDiffering(options, deps, owned, member, at, signal);
  if (isFailure(found)) return found;
  const leaves = new Set([...found.leaves].slice(0, leavesMax));
  const keys = mergedLeaves(
    { at, members: [self, member], leaves, entriesMax: limits.leafEntriesMax },
    deps.asker,
  );
  const exchange = new KeyExchange(options, deps, at, watermarks, signal);
  for await (const key of keys) {
    if (isFailureOf(key)) return key;
    await exchange.take(key);
    if (exchange.isStopped || signal.aborted) break;
  }
  return await exchange.end(leaves.size, found.bytes);
}

/** Leaves that differ in two walks, one after the other: a write on its way to one of the sides differs in one. */
async function stillDiffering(
  { limits }: CompareOptions,
  { asker, clock }: CompareDeps,
  owned: OwnedPartition,
  member: MemberId,
  at: PartitionAt,
  signal: AbortSignal,
) {
  const { tree } = owned;
  if (tree === undefined) return { type: 'found' as const, leaves: new Set<number>(), bytes: 0 };
  const find = { at, member, answerBytesMax: limits.walkAnswerBytesMax };
  const isInFlight = (leaf: number) => owned.isInFlight(leaf);
  const first = await findLeaves({ ...find, isExcluded: isInFlight }, tree, asker);
  if (isFailure(first) || first.leaves.size === 0) return first;
  await sleep(clock, limits.recheckMs, signal);
  const isExcluded = (leaf: number) => !first.leaves.has(leaf) || isInFlight(leaf);
  const second = await findLeaves({ ...find, isExcluded }, tree, asker);
  return isFailure(second) ? second : { ...second, bytes: first.bytes + second.bytes };
}

class KeyExchange {
  readonly #options: CompareOptions;
  readonly #at: PartitionAt;
  readonly #watermarks: Watermarks;
  readonly #nowMs: number;
  readonly #queue: CarryQueue;
  readonly #suspects: SealedDifference[] = [];
  #differing = 0;
  #listedBytes = 0;

  constructor(
    options: CompareOptions,
    deps: CompareDeps,
    at: PartitionAt,
    watermarks: Watermarks,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#at = at;
    this.#watermarks = watermarks;
    this.#nowMs = deps.clock.nowMs();
    this.#queue = new CarryQueue(options.limits, { carry: (cargo) => deps.carry(cargo, signal) });
  }

  get isStopped(): boolean {
    return this.#queue.isStopped;
  }

  async take(key: MergedKey): Promise<void> {
    for (const [member, entry] of key.entries)
      if (member !== this.#options.self) this.#listedBytes += bytesOf(entry);
    if (isEqual(key, this.#watermarks.size)) return;
    this.#differing++;
    const { inFlightMs, suspectsMax } = this.#options.limits;
    const suspects = suspectsOf(key, this.#watermarks);
    this.#suspects.push(...suspects.slice(0, suspectsMax - this.#suspects.length));
    const verdict = judgeKey(ABOVE_ALL, holdingsOf(key, this.#watermarks));
    if (verdict.type === 'settled' || isRecent(verdict, this.#nowMs - inFlightMs)) return;
    const { namespaceId, key: name } = key;
    await this.#queue.add({ ...this.#at, namespaceId, key: name, from: verdict.from, to: verdict.to });
  }

  async end(leaves: number, walkBytes: number): Promise<Compared> {
    await this.#queue.drain();
    return {
      type: 'compared',
      leaves,
      differing: this.#differing,
      carried: this.#queue.total,
      comparedBytes: walkBytes + this.#listedBytes,
      suspects: this.#suspects,
    };
  }
}

export const NOT_COMPARED: Compared = {
  type: 'compared',
  leaves: 0,
  differing: 0,
  carried: NOTHING,
  comparedBytes: 0,
  suspects: [],
};

export const bytesOf = ({ key }: LeafEntry): number => ENTRY_BYTES + key.length;

/** A write of this moment is on its way by itself. */
export const isRecent = (verdict: KeyVerdict & { readonly type: 'carry' }, sinceMs: number): boolean =>
  verdict.version.wallMs > sinceMs;

function isEqual({ entries }: MergedKey, members: number): boolean {
  if (entries.size < members) return false;
  const versions = [...entries.values()].map(({ version }) => version);
  const { wallMs, counter, member } = versions[0] as LeafEntry['version'];
  return versions.every((one) => one.wallMs === wallMs && one.counter === counter && one.member === member);
}

function isFailureOf(key: MergedKey | AskFailure): key is AskFailure {
  return 'type' in key;
}
