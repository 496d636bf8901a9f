import type { MemberId } from '../../core/raft/types.ts';
import { ABOVE_ALL, type Holding, judgeKey, type KeyVerdict } from '../../core/round/judge-key.ts';
import type { Version } from '../../core/version/version.ts';
import type { KeyAt, PartitionAt } from '../../peer/data-messages.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { ReplicaClient } from '../types.ts';
import { type Cargo, type Carried, NOTHING, plus, problemOf } from './carry.ts';
import { bytesOf, isRecent } from './compare-partition.ts';
import type { DataAsker } from './data-asker.ts';
import type { AntiEntropyOptions } from './exchange-options.ts';
import { holdingsOf, type Watermarks } from './holdings.ts';
import { type MergedKey, mergedLeaves } from './merged-leaves.ts';
import { type SealedDifference, suspectsOf } from './sealed-check.ts';

export type SettleOptions = Pick<AntiEntropyOptions, 'self' | 'limits'> & {
  readonly at: PartitionAt;
  readonly floor: Version;
  /** Whether what is above the floor must be equal too, but for writes on their way: a round does not need it, a proof does. */
  readonly isThorough: boolean;
  readonly leaves: ReadonlySet<number>;
  /** Of all N members, from before the comparison. */
  readonly watermarks: Watermarks;
};

export type SettleDeps = {
  readonly clock: Clock;
  readonly client: ReplicaClient;
  readonly asker: DataAsker;
  readonly carry: (cargo: Cargo, signal: AbortSignal) => Promise<Carried>;
};

export type SettledLeaves = {
  readonly carried: Carried;
  readonly comparedBytes: number;
  readonly suspects: readonly SealedDifference[];
  /** Keys that still differed after all attempts. */
  readonly unsettled: number;
  /** Why the comparison ended early; undefined where it did not. */
  readonly failure: string | undefined;
};

/** Keys that are settled at the same time. */
const KEYS_MAX = 16;

/**
 * Compares all keys of some leaves over all N replicas until each is settled up to the floor. A key stays settled: what is
 * sealed cannot change any more, and what is above the floor does not matter to this round. So each is looked at again by
 * itself, however many others are written meanwhile.
 */
export async function settleLeaves(
  options: SettleOptions,
  deps: SettleDeps,
  signal: AbortSignal,
): Promise<SettledLeaves> {
  const settler = new Settler(options, deps, signal);
  const { at, leaves, watermarks, limits } = options;
  const members = [...watermarks.keys()];
  for await (const key of mergedLeaves(
    { at, members, leaves, entriesMax: limits.leafEntriesMax },
    deps.asker,
  )) {
    if ('type' in key) return settler.end(key.reason);
    await settler.take(key);
    if (settler.isStopped) break;
  }
  await settler.drain();
  return settler.end(undefined);
}

class Settler {
  readonly #options: SettleOptions;
  readonly #deps: SettleDeps;
  readonly #signal: AbortSignal;
  readonly #suspects: SealedDifference[] = [];
  #open: Promise<void>[] = [];
  #carried = NOTHING;
  #comparedBytes = 0;
  #unsettled = 0;
  #failure: string | undefined;

  constructor(options: SettleOptions, deps: SettleDeps, signal: AbortSignal) {
    this.#options = options;
    this.#deps = deps;
    this.#signal = signal;
  }

  get isStopped(): boolean {
    return this.#failure !== undefined || this.#signal.aborted;
  }

  async take(key: MergedKey): Promise<void> {
    const { self, watermarks, limits } = this.#options;
    for (const [member, entry] of key.entries) if (member !== self) this.#comparedBytes += bytesOf(entry);
    const suspects = suspectsOf(key, watermarks);
    this.#suspects.push(...suspects.slice(0, limits.suspectsMax - this.#suspects.length));
    const holdings = holdingsOf(key, watermarks);
    if (this.#judge(holdings).type === 'settled') return;
    const { namespaceId, key: name } = key;
    this.#open.push(this.#settle({ namespaceId, key: name }, holdings));
    if (this.#open.length >= KEYS_MAX) await this.drain();
  }

  async drain(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    await Promise.all(open);
  }

  end(failure: string | undefined): SettledLeaves {
    return {
      carried: this.#carried,
      comparedBytes: this.#comparedBytes,
      suspects: this.#suspects,
      unsettled: this.#unsettled,
      failure: failure ?? this.#failure,
    };
  }

  async #settle(place: KeyAt, listed: ReadonlyMap<MemberId, Holding>): Promise<void> {
    const { limits } = this.#options;
    let holdings = listed;
    for (let attempt = 1; attempt <= limits.keyAttemptsMax && !this.isStopped; attempt++) {
      const verdict = this.#judge(holdings);
      if (verdict.type === 'settled') return;
      if (attempt === 1 && isRecent(verdict, this.#deps.clock.nowMs() - limits.inFlightMs))
        await sleep(this.#deps.clock, limits.recheckMs, this.#signal);
      else await this.#carry({ ...this.#options.at, ...place, from: verdict.from, to: verdict.to });
      holdings = await this.#look(place);
    }
    if (this.#judge(holdings).type !== 'settled') this.#unsettled++;
  }

  #judge(holdings: ReadonlyMap<MemberId, Holding>): KeyVerdict {
    const { floor, isThorough, limits } = this.#options;
    const verdict = judgeKey(isThorough ? ABOVE_ALL : floor, holdings);
    const isArriving =
      verdict.type === 'carry' && isRecent(verdict, this.#deps.clock.nowMs() - limits.inFlightMs);
    return isArriving ? judgeKey(floor, holdings) : verdict;
  }

  async #carry(cargo: Cargo): Promise<void> {
    const carried = await this.#deps.carry(cargo, this.#signal);
    this.#carried = plus(this.#carried, carried);
    if (carried.problem?.isFatal) this.#failure ??= carried.problem.reason;
  }

  /** What each member holds now, with the watermark of that moment. */
  async #look({ namespaceId, key }: KeyAt): Promise<ReadonlyMap<MemberId, Holding>> {
    const { at, limits, watermarks } = this.#options;
    const body = { type: 'read', isFull: false } as const;
    const holdings = new Map<MemberId, Holding>();
    const ask = async (to: MemberId) => {
      const request = { to, ...at, namespaceId, key, body };
      const outcome = await this.#deps.client.ask(request, { timeoutMs: limits.requestMs });
      const said = outcome.type === 'reply' ? outcome.reply.body : outcome;
      if (said.type === 'sight') holdings.set(to, { version: said.version, watermark: said.watermark });
      else this.#failure ??= problemOf(to, said).reason;
    };
    await Promise.all([...watermarks.keys()].map(ask));
    return holdings;
  }
}
