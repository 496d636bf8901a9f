import type { MemberId } from '../../core/raft/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Engine } from '../../storage/engine.ts';
import { hintKey, type RecordAddress } from '../../storage/key-layout.ts';
import type { SpaceGuard } from '../../storage/space-guard.ts';
import type { Hint, HintKeeper, HintStatus, ReplicaClient, Routing } from '../types.ts';
import { encodeHint } from './hint-codec.ts';
import type { HintDropReason, HintEvents } from './hint-events.ts';
import { HintLog } from './hint-log.ts';
import { OwnerSchedule } from './owner-schedule.ts';
import { replayTo } from './replay.ts';

export type HintOptions = {
  /** `hints.bytesMax`; 0 keeps none. */
  readonly bytesMax: number;
  /** Of hints that wait for the disk, in memory. */
  readonly backlogBytesMax: number;
  readonly ageMsMax: number;
  /** To one owner. */
  readonly replayBytesPerSecond: number;
  /** For the answer to one hint. */
  readonly timeoutMs: number;
};

export type HintDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly space: Pick<SpaceGuard, 'admit' | 'refresh'>;
  readonly client: ReplicaClient;
  readonly routing: Pick<Routing, 'self' | 'viewOf' | 'isUp' | 'onChange'>;
  /** Whether the topology counts it in; true also while there is no topology yet. */
  isMember(member: MemberId): boolean;
  readonly events: HintEvents;
};

type OwnerVersion = { readonly owner: MemberId; readonly version: Version };

/** Time between two looks at whether an owner is back, or a hint too old. */
const LOOK_MS = 1000;
/** Of the age limit: how much later than at the limit a hint may go, so that the hints are not all read at every look. */
const SWEEPS_PER_AGE = 10;

/**
 * Hints that survive a restart (D19). Only their sizes are in memory. The writer of a hint has its answer already, or will
 * miss its quorum without it: nothing waits for a hint, and none counts towards W.
 */
export class DurableHintKeeper implements HintKeeper {
  readonly #options: HintOptions;
  readonly #deps: HintDeps;
  readonly #log: HintLog;
  readonly #schedule = new OwnerSchedule();
  readonly #stopping = new AbortController();
  readonly #forgetRouting: () => void;
  readonly #working = new Set<Promise<void>>();
  #timer: Timer | undefined;

  constructor(options: HintOptions, deps: HintDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = new HintLog(deps);
    this.#forgetRouting = deps.routing.onChange(() => this.#look());
    this.#setTimer();
  }

  keep(hint: Hint): void {
    const { owner, record, version } = hint;
    if (owner === this.#deps.routing.self || this.#stopping.signal.aborted) return;
    const key = hintKey(owner, hint);
    const refusal = this.#refusal(key.length + record.length);
    if (refusal !== undefined) {
      this.#deps.events.onDropped(refusal, 1);
      return;
    }
    const stored = { keptAtMs: Math.floor(this.#deps.clock.nowMs()), version, record };
    this.#log.put(key, encodeHint(key, stored), stored);
  }

  async ofKey(at: RecordAddress): Promise<readonly OwnerVersion[]> {
    const owners = [...this.#log.ledger.owners.keys()];
    const versions = await this.#log.versionsAt(owners.map((owner) => hintKey(owner, at)));
    return owners.flatMap((owner, i) => {
      const version = versions[i];
      return version === undefined ? [] : [{ owner, version }];
    });
  }

  status(): HintStatus {
    const { bytes, count, owners } = this.#log.ledger;
    const nowMs = this.#deps.clock.nowMs();
    return {
      bytes,
      count,
      owners: [...owners].map(([owner, each]) => ({
        owner,
        count: each.count,
        bytes: each.bytes,
        oldestMs: Math.max(0, nowMs - each.oldestAtMs),
      })),
    };
  }

  /** Resolves once everything that was begun so far has ended. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
    await this.#log.settled();
  }

  /** What was kept so far is durable when this resolves; the engine must be open until then. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#forgetRouting();
    await this.settled();
  }

  #refusal(bytes: number): HintDropReason | undefined {
    const { bytesMax, backlogBytesMax } = this.#options;
    const { ledger, queuedBytes } = this.#log;
    if (ledger.bytes + queuedBytes + bytes > bytesMax) return 'bytes-limit';
    return queuedBytes + bytes > backlogBytesMax ? 'backlog-limit' : undefined;
  }

  #setTimer(): void {
    this.#timer = this.#deps.clock.setTimer(LOOK_MS, () => {
      this.#look();
      if (!this.#stopping.signal.aborted) this.#setTimer();
    });
  }

  /** Level-based: what is due follows from what is kept and who is up now, whatever it was that called for a look. */
  #look(): void {
    const { routing, clock, isMember } = this.#deps;
    const nowMs = clock.monotonicMs();
    for (const [owner, { oldestAtMs }] of this.#log.ledger.owners) {
      if (!isMember(owner)) this.#log.dropOwner(owner);
      else if (this.#schedule.isReplayDue(owner, routing.isUp(owner), nowMs))
        this.#begin(owner, () => this.#replay(owner));
      else if (this.#isOld(oldestAtMs) && this.#schedule.isSweepDue(owner, nowMs))
        this.#begin(owner, () => this.#sweep(owner));
    }
    this.#schedule.keepOnly(this.#log.ledger.owners);
  }

  #isOld(keptAtMs: number): boolean {
    return this.#deps.clock.nowMs() - keptAtMs > this.#options.ageMsMax;
  }

  #begin(owner: MemberId, work: () => Promise<void>): void {
    this.#schedule.begin(owner);
    const one = work()
      .catch((error: unknown) => this.#deps.events.onError(error))
      .finally(() => {
        this.#schedule.end(owner);
        this.#working.delete(one);
      });
    this.#working.add(one);
  }

  async #replay(owner: MemberId): Promise<void> {
    const { signal } = this.#stopping;
    const end = await replayTo(owner, this.#options, { ...this.#deps, log: this.#log }, signal);
    // What was settled is off the disk before the next pass reads.
    await this.#log.settled();
    this.#schedule.replayed(owner, end, this.#deps.clock.monotonicMs());
  }

  /** Drops what is too old, and learns how old the oldest is that stays. */
  async #sweep(owner: MemberId): Promise<void> {
    const { ageMsMax } = this.#options;
    let oldestAtMs = Number.POSITIVE_INFINITY;
    let after: Uint8Array | undefined;
    for (;;) {
      const entries = await this.#log.page(owner, after);
      if (entries.length === 0 || this.#stopping.signal.aborted) break;
      after = entries.at(-1)?.key;
      for (const { key, stored } of entries) {
        if (stored === undefined) this.#log.remove(key, undefined, 'corrupt');
        else if (this.#isOld(stored.keptAtMs)) this.#log.remove(key, stored.version, 'age');
        else oldestAtMs = Math.min(oldestAtMs, stored.keptAtMs);
      }
      await this.#log.settled();
    }
    if (oldestAtMs < Number.POSITIVE_INFINITY) this.#log.ledger.setOldest(owner, oldestAtMs);
    this.#schedule.swept(owner, this.#deps.clock.monotonicMs() + ageMsMax / SWEEPS_PER_AGE);
  }
}
