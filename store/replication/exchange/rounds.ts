import { compareVersions, type Version } from '../../core/version/version.ts';
import type { OwnedPartition } from '../types.ts';
import type { Background } from './background.ts';
import { Gate } from './background.ts';
import type { ExchangeLog } from './exchange-log.ts';
import type { AntiEntropyDeps, AntiEntropyOptions } from './exchange-options.ts';
import { firstLive } from './partners.ts';
import { type RoundResult, type RunRoundDeps, runRound } from './run-round.ts';

export type RoundsDeps = RunRoundDeps &
  Pick<AntiEntropyDeps, 'random'> & { readonly background: Background; readonly log: ExchangeLog };

/** Intervals without a round after which another member than the first starts one. */
const STUCK_INTERVALS = 3;

/** Starts the rounds of the partitions whose first live replica is here, where there is something to collect. */
export class Rounds {
  readonly #options: AntiEntropyOptions;
  readonly #deps: RoundsDeps;
  readonly #gate: Gate;
  readonly #running = new Map<number, Promise<RoundResult>>();
  /** Partitions with something to collect, and since when their watermark is what it is. */
  readonly #stuck = new Map<number, { readonly watermark: Version; readonly sinceMs: number }>();
  #number = 0;

  constructor(options: AntiEntropyOptions, deps: RoundsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#gate = new Gate({ max: options.limits.roundsMax });
  }

  start(): void {
    const { background, clock, random } = this.#deps;
    const intervalMs = (): number => this.#options.roundIntervalMs;
    const work = async () => this.#tick(background.signal);
    background.repeat('rounds', clock, random.unit() * intervalMs(), intervalMs, work);
  }

  /** A round of `partition`, after the one that is under way there, if there is one. */
  run(partition: number, signal: AbortSignal): Promise<RoundResult> {
    return this.#next(partition, false, signal);
  }

  /** The same, that also compares, and repairs, what was written since the floor. */
  runThorough(partition: number, signal: AbortSignal): Promise<RoundResult> {
    return this.#next(partition, true, signal);
  }

  async #next(partition: number, isThorough: boolean, signal: AbortSignal): Promise<RoundResult> {
    // What the one before throws, its own caller hears.
    while (this.#running.has(partition)) await this.#running.get(partition)?.catch(() => {});
    const running = this.#gate.run(() => this.#one(partition, isThorough, signal));
    this.#running.set(partition, running);
    try {
      return await running;
    } finally {
      this.#running.delete(partition);
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { replica } = this.#deps;
    await Promise.all(replica.ownedPartitions().map((partition) => this.#runIfDue(partition, signal)));
  }

  async #runIfDue(partition: number, signal: AbortSignal): Promise<void> {
    const { replica, routing, clock } = this.#deps;
    const owned = replica.owned(partition);
    const view = routing.viewOf(partition);
    if (owned === undefined || view?.sets.type !== 'still') return;
    const hasGarbage = await owned.hasGarbage(clock.nowMs());
    if (!hasGarbage) this.#stuck.delete(partition);
    const isFirst = firstLive(routing, partition) === this.#options.self;
    if (!hasGarbage || !(isFirst || this.#isStuck(owned)) || this.#running.has(partition)) return;
    // Whom a dead member holds back is told by the first of the set alone.
    if (!isFirst && !view.sets.set.every((member) => routing.isUp(member))) return;
    if (!signal.aborted) await this.run(partition, signal);
  }

  /**
   * Whether the watermark has not risen for some intervals although there is something to collect: the first of the set
   * may have nothing left to collect, since this member alone did not hear that a round was settled.
   */
  #isStuck({ partition, watermark }: OwnedPartition): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const known = this.#stuck.get(partition);
    if (known === undefined || compareVersions(known.watermark, watermark) !== 0) {
      this.#stuck.set(partition, { watermark, sinceMs: nowMs });
      return false;
    }
    return nowMs - known.sinceMs >= STUCK_INTERVALS * this.#options.roundIntervalMs;
  }

  async #one(partition: number, isThorough: boolean, signal: AbortSignal): Promise<RoundResult> {
    this.#number++;
    const asked = { partition, number: this.#number, isThorough };
    const result = await runRound(this.#options, this.#deps, asked, signal);
    const { outcome, reason, floor, keysRepaired, keysIgnored, recordBytes, comparedBytes } = result;
    const atMs = this.#deps.clock.nowMs();
    this.#deps.log.noteRound({ partition, atMs, floor, outcome, reason });
    this.#deps.log.count({ keysRepaired, keysIgnored, recordBytes, comparedBytes });
    return result;
  }
}
