import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import type { DataReply, DataRequest, VerifyReport } from '../../peer/data-messages.ts';
import { type AnsweredRequest, ExchangeAnswerer } from './answer.ts';
import { Background } from './background.ts';
import { type Cargo, type Carried, carry } from './carry.ts';
import { Collector } from './collector.ts';
import { DataAsker } from './data-asker.ts';
import { type AntiEntropyStatus, ExchangeLog } from './exchange-log.ts';
import type { AntiEntropyDeps, AntiEntropyEvent, AntiEntropyOptions } from './exchange-options.ts';
import { Exchanger } from './exchanger.ts';
import { refused } from './fence.ts';
import { Pacers } from './pacer.ts';
import { Problems } from './problems.ts';
import { Rounds } from './rounds.ts';
import { stoppable } from './stoppable.ts';
import { type VerifyProgress, verifyPartitions } from './verify.ts';

export type AntiEntropyRequest = DataRequest & { readonly type: AnsweredRequest['type'] | 'verify' };

/** Keeps this member's replicas equal to the others', and lets deletes be forgotten once all hold them (docs/anti-entropy.md). */
export class AntiEntropy {
  readonly #options: AntiEntropyOptions;
  readonly #deps: AntiEntropyDeps;
  readonly #background: Background;
  readonly #log = new ExchangeLog();
  readonly #collector: Collector;
  readonly #answerer: ExchangeAnswerer;
  readonly #exchanger: Exchanger;
  readonly #rounds: Rounds;

  constructor(options: AntiEntropyOptions, ports: AntiEntropyDeps) {
    const { limits, self } = options;
    const tell = (event: AntiEntropyEvent) => this.#tell(event);
    const log = this.#log;
    const background = new Background({ tell: (what, error) => tell({ type: 'failed', what, error }) });
    const deps = { ...ports, ...stoppable(ports, background.signal) };
    this.#options = options;
    this.#deps = deps;
    this.#background = background;
    this.#collector = new Collector(limits, { ...deps, background, log });
    const onSettled = (partition: number) => this.#collector.note(partition);
    this.#answerer = new ExchangeAnswerer(limits, { ...deps, onSettled, tell });
    const answer = (request: DataRequest) => this.#answerer.answer(request as DataRequest & AnsweredRequest);
    const asker = new DataAsker({ ...limits, self }, { peers: deps.peers, answer });
    const owned = (partition: number) => deps.replica.owned(partition);
    const problems = new Problems(
      { self, problemsMax: limits.problemsMax },
      { ...deps, self, asker, owned, log, tell },
    );
    const shared = { ...deps, asker, carry: this.#carrier(), background, log, problems };
    this.#exchanger = new Exchanger(options, shared);
    this.#rounds = new Rounds(options, shared);
  }

  start(): void {
    this.#exchanger.start();
    this.#rounds.start();
    // What was settled before the last stop, and not collected.
    for (const partition of this.#deps.replica.ownedPartitions()) this.#collector.note(partition);
  }

  /** Resolves once nothing of it runs any more. */
  async stop(): Promise<void> {
    await this.#background.stop();
  }

  /** What the member `from` asks. Rejects only where the replica does: its storage has failed. */
  async answer(request: AntiEntropyRequest, from: MemberId): Promise<DataReply> {
    const { self } = this.#options;
    if (request.to !== self)
      return refused('WRONG_MEMBER', `this is member ${self}, the request is for ${request.to}`, toEpoch(0));
    if (request.type === 'roots')
      for (const { partition } of request.partitions.slice(0, this.#options.limits.rootsPerRequestMax))
        if (this.#deps.replica.owned(partition) !== undefined)
          this.#log.noteAsked(partition, from, this.#deps.clock.nowMs());
    if (request.type !== 'verify') return await this.#answerer.answer(request);
    return { type: 'verify', report: await this.verify(request.partitions) };
  }

  /** A full round on each of `partitions`, or of all that are replicated here; also where there is nothing to collect. */
  async verify(
    partitions: readonly number[] = [],
    onProgress?: (progress: VerifyProgress) => void,
  ): Promise<VerifyReport> {
    const { replica } = this.#deps;
    const asked = partitions.length > 0 ? [...new Set(partitions)] : replica.ownedPartitions();
    const round = (partition: number) => this.#rounds.runThorough(partition, this.#background.signal);
    return await verifyPartitions(asked, { round }, onProgress);
  }

  /** When `partition` was last compared with whom, in milliseconds since 1970. */
  lastExchange(partition: number): readonly { readonly member: MemberId; readonly atMs: number }[] {
    return this.#log.lastExchange(partition);
  }

  status(): AntiEntropyStatus {
    return this.#log.status();
  }

  #tell(event: AntiEntropyEvent): void {
    if (event.type === 'tree-rebuilt') this.#log.count({ treesRebuilt: 1 });
    this.#deps.tell(event);
  }

  #carrier(): (cargo: Cargo, signal: AbortSignal) => Promise<Carried> {
    const { self, limits } = this.#options;
    const { client, clock } = this.#deps;
    const pacers = new Pacers(this.#options, { clock });
    const pacerOf = (member: MemberId) => pacers.of(member);
    return (cargo, signal) =>
      carry({ self, requestMs: limits.requestMs }, { client, pacerOf }, cargo, signal);
  }
}
