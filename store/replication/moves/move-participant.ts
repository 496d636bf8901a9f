import { dutiesOf } from '../../core/moves/duties.ts';
import { gatherMs } from '../../core/moves/gather.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { MoveCommand, MoveSources } from '../../core/topology/command.ts';
import type { MoveAt, Partition } from '../../core/topology/types.ts';
import { sleep } from '../../ports/clock.ts';
import { Background, Gate } from '../exchange/background.ts';
import { arrive } from './arrive.ts';
import {
  type BulkProgress,
  type MoveOptions,
  newBulkProgress,
  type ParticipantDeps,
  type Transferred,
} from './move-options.ts';
import { synchronise } from './synchronise.ts';

/** What this member has done in one stage of a partition's move, and may say as often as it is asked. */
type Done = {
  readonly at: MoveAt;
  readonly bulk: BulkProgress;
  isFilled: boolean;
  readonly synced: Set<MemberId>;
  failures: number;
};

/** What this member has done. */
type News = Extract<MoveCommand, { readonly member: MemberId }>;

/** Most waits are for an epoch to become durable, here or at a source: a few milliseconds. */
const FIRST_RETRY_MS = 5;

/**
 * A member's own part in moves (docs/moves.md): it looks what the topology asks of it, does that, and says so in a command. All
 * that it keeps is what it has done under the present epochs, which it would only do again: the topology says what is due.
 */
export class MoveParticipant {
  readonly #options: MoveOptions;
  readonly #deps: ParticipantDeps;
  readonly #background: Background;
  /** Of what fills a partition, and of what proves that it is full: else each proof would wait for all that is still to be filled. */
  readonly #gates: { readonly fill: Gate; readonly prove: Gate };
  readonly #done = new Map<number, Done>();
  /** Partitions of which a transfer runs. */
  readonly #working = new Set<number>();
  readonly #forget: () => void;
  #wake: (() => void) | undefined;
  /** Rests since something has changed. */
  #rests = 0;
  /** Since when there is something to say, on the monotonic clock. */
  #newsSinceMs: number | undefined;

  constructor(options: MoveOptions, deps: ParticipantDeps) {
    this.#options = options;
    this.#deps = deps;
    const max = options.limits.partitionsMax;
    this.#gates = { fill: new Gate({ max }), prove: new Gate({ max }) };
    this.#background = new Background({ tell: (what, error) => deps.tell({ type: 'failed', what, error }) });
    this.#forget = deps.topology.onChange(() => this.#look());
  }

  start(): void {
    this.#background.run('moves of partitions', async (signal) => {
      while (!signal.aborted) {
        const news = this.#attend();
        const restMs = this.#gatherRestMs(news);
        if (restMs === 0) await this.#say(news);
        else await this.#rest(restMs ?? this.#retryMs(this.#rests++));
      }
    });
  }

  /** Resolves once nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#forget();
    const stopped = this.#background.stop();
    this.#wake?.();
    await stopped;
  }

  #look(): void {
    this.#rests = 0;
    this.#wake?.();
  }

  /** Until something has changed, or the time is over: what failed may be tried again, what was gathered be said. */
  async #rest(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = this.#deps.clock.setTimer(ms, resolve);
    await promise;
    timer.cancel();
  }

  /** For how long news are still gathered; undefined: there are none. */
  #gatherRestMs(news: readonly News[]): number | undefined {
    if (news.length === 0) {
      this.#newsSinceMs = undefined;
      return undefined;
    }
    const { clock, topology } = this.#deps;
    const nowMs = clock.monotonicMs();
    this.#newsSinceMs ??= nowMs;
    const partitions = topology.state?.partitions ?? [];
    const isFilled = (partition: number, { epoch }: Partition): boolean => {
      const done = this.#done.get(partition);
      return done?.at.epoch === epoch && done.isFilled;
    };
    return Math.max(0, this.#newsSinceMs + gatherMs(partitions, isFilled) - nowMs);
  }

  #retryMs(failures: number): number {
    return Math.min(this.#options.limits.retryMs, FIRST_RETRY_MS * 2 ** failures);
  }

  /** Begins what is due, and returns what may be said. */
  #attend(): readonly News[] {
    const { self } = this.#options;
    const entered: MoveAt[] = [];
    const confirmed: MoveAt[] = [];
    const synced: MoveSources[] = [];
    for (const [number, partition] of this.#moving()) {
      const at = atOf(number, partition);
      const done = this.#doneAt(at);
      for (const duty of dutiesOf(partition, self)) {
        if (duty.type === 'confirm') {
          if (this.#deps.replica.mayConfirm(number, at.epoch)) confirmed.push(at);
        } else if (duty.type === 'enter') {
          if (done.isFilled) entered.push(at);
          else this.#fill(done, duty.from);
        } else {
          const sources = duty.with.filter((source) => done.synced.has(source));
          if (sources.length > 0) synced.push({ ...at, sources });
          this.#synchronise(done, duty.with);
        }
      }
    }
    const commands: readonly News[] = [
      { type: 'move-enter', member: self, moves: entered },
      { type: 'move-confirm', member: self, moves: confirmed },
      { type: 'move-synced', member: self, moves: synced },
    ];
    return commands.filter(({ moves }) => moves.length > 0);
  }

  #moving(): readonly (readonly [number, Partition])[] {
    const partitions = this.#deps.topology.state?.partitions ?? [];
    return [...partitions.entries()].filter(([, { move }]) => move !== undefined);
  }

  #doneAt(at: MoveAt): Done {
    const known = this.#done.get(at.partition);
    if (known?.at.epoch === at.epoch) return known;
    const done = { at, bulk: newBulkProgress(), isFilled: false, synced: new Set<MemberId>(), failures: 0 };
    this.#done.set(at.partition, done);
    return done;
  }

  #fill(done: Done, from: readonly MemberId[]): void {
    this.#work(done, this.#gates.fill, async (signal) => {
      const filled = await arrive(this.#options, this.#deps, done.at, this.#inOrder(from), done.bulk, signal);
      if (filled.type === 'transferred') done.isFilled = true;
      return filled;
    });
  }

  #synchronise(done: Done, sources: readonly MemberId[]): void {
    const open = sources.filter((source) => !done.synced.has(source));
    if (open.length === 0) return;
    this.#work(done, this.#gates.prove, async (signal) => {
      let last: Transferred | undefined;
      let bytes = 0;
      for (const source of open) {
        const synced = await synchronise(this.#options, this.#deps, done.at, source, signal);
        if (synced.type === 'not-yet') last = synced;
        else {
          done.synced.add(source);
          bytes += synced.bytes;
        }
      }
      return last ?? { type: 'transferred', bytes };
    });
  }

  /** One transfer of a partition at a time, and few partitions at the same time; what is left is for a later step. */
  #work(done: Done, gate: Gate, transfer: (signal: AbortSignal) => Promise<Transferred>): void {
    const { partition } = done.at;
    if (this.#working.has(partition)) return;
    this.#working.add(partition);
    this.#background.run(`a transfer of partition ${partition}`, async (signal) => {
      try {
        const end = await gate.run(async () =>
          this.#done.get(partition) === done && !signal.aborted ? await transfer(signal) : undefined,
        );
        if (end === undefined || end.type === 'transferred') return;
        const retryMs = this.#retryMs(done.failures++);
        // What passes in a moment is no news.
        if (retryMs === this.#options.limits.retryMs)
          this.#deps.tell({ type: 'delayed', partition, reason: end.reason });
        await sleep(this.#deps.clock, retryMs, signal);
      } finally {
        this.#working.delete(partition);
        this.#look();
      }
    });
  }

  /** A refusal, or a leader that is not there, is no news: the next look sees what is due then. */
  async #say(news: readonly News[]): Promise<void> {
    this.#newsSinceMs = undefined;
    try {
      await Promise.all(news.map((command) => this.#deps.propose(command)));
    } catch {
      await sleep(this.#deps.clock, this.#options.limits.retryMs, this.#background.signal);
    }
  }

  /** Those that are up first. */
  #inOrder(members: readonly MemberId[]): readonly MemberId[] {
    const { routing } = this.#deps;
    return [...members].sort((a, b) => Number(routing.isUp(b)) - Number(routing.isUp(a)));
  }
}

function atOf(partition: number, { epoch, move }: Partition): MoveAt {
  if (move === undefined) throw new Error(`partition ${partition} does not move`);
  return { partition, session: move.session, epoch };
}
