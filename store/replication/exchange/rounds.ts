import type { Background } from './background.ts';
import { Gate } from './background.ts';
import type { ExchangeLog } from './exchange-log.ts';
import type { AntiEntropyDeps, AntiEntropyOptions } from './exchange-options.ts';
import { firstLive } from './partners.ts';
import { type RoundResult, type RunRoundDeps, runRound } from './run-round.ts';

export type RoundsDeps = RunRoundDeps &
  Pick<AntiEntropyDeps, 'random'> & { readonly background: Background; readonly log: ExchangeLog };

/** Starts the rounds of the partitions whose first live replica is here, where there is something to collect. */
export class Rounds {
  readonly #options: AntiEntropyOptions;
  readonly #deps: RoundsDeps;
  readonly #gate: Gate;
  readonly #running = new Map<number, Promise<RoundResult>>();
  #number = 0;

  constructor(options: AntiEntropyOptions, deps: RoundsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#gate = new Gate({ max: options.limits.roundsMax });
  }

  start(): void {
    const { background, clock, random } = this.#deps;
    const { roundIntervalMs } = this.#options;
    const work = async () => this.#tick(background.signal);
    background.repeat('rounds', clock, random.unit() * roundIntervalMs, roundIntervalMs, work);
  }

  /** A round of `partition`, after the one that is under way there, if there is one. */
  async run(partition: number, signal: AbortSignal): Promise<RoundResult> {
    // What the one before throws, its own caller hears.
    while (this.#running.has(partition)) await this.#running.get(partition)?.catch(() => {});
    const running = this.#gate.run(() => this.#one(partition, signal));
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
    const view = routing.viewOf(partition);
    if (view?.sets.type !== 'still' || firstLive(routing, partition) !== this.#options.self) return;
    const owned = replica.owned(partition);
    if (owned === undefined || this.#running.has(partition) || signal.aborted) return;
    if (await owned.hasGarbage(clock.nowMs())) await this.run(partition, signal);
  }

  async #one(partition: number, signal: AbortSignal): Promise<RoundResult> {
    this.#number++;
    const result = await runRound(this.#options, this.#deps, partition, this.#number, signal);
    const { outcome, reason, floor, keysRepaired, keysIgnored, recordBytes, comparedBytes } = result;
    const atMs = this.#deps.clock.nowMs();
    this.#deps.log.noteRound({ partition, atMs, floor, outcome, reason });
    this.#deps.log.count({ keysRepaired, keysIgnored, recordBytes, comparedBytes });
    return result;
  }
}
