import { hashKey } from '../../core/merkle/entry-hash.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import {
  type Engine,
  EngineClosedError,
  type EngineEntry,
  EngineFailedError,
  type EngineView,
} from '../../storage/engine.ts';
import { keyName } from '../../storage/key-name.ts';
import type { Damage } from './damage.ts';
import { decodeIntact, entryHashOf } from './held.ts';
import type { PartitionState } from './partition-state.ts';
import type { TreeBuild } from './partition-tree.ts';
import { addressOf, pagesOf, partitionRange } from './ranges.ts';

export type TreeBuilderDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly damage: Damage;
  readonly signal: AbortSignal;
  /** Looks at the stored record again, and notes it where it is damaged. */
  recheck(partition: PartitionState, storedKey: Uint8Array): Promise<unknown>;
  onError(error: unknown): void;
};

const PAGE = { entriesMax: 500, bytesMax: 1 << 20 };
/** Rest between pages, so that building takes no more than a share of the disk and of the event loop. */
const PAUSE_MS = 2;
/** Before another attempt where the disk could not be read. */
const RETRY_MS = 1000;

/** Builds trees from the data beside service, one partition at a time. */
export class TreeBuilder {
  readonly #deps: TreeBuilderDeps;
  readonly #queue = new Set<PartitionState>();
  #running: Promise<void> | undefined;

  constructor(deps: TreeBuilderDeps) {
    this.#deps = deps;
  }

  /** The partition has no tree from this turn on, until it is built from what is stored then. */
  rebuild(partition: PartitionState): void {
    partition.tree.drop();
    if (!partition.isOwner) return;
    this.#queue.add(partition);
    this.#running ??= this.#run();
  }

  /** Resolves once nothing is left to build, or soon after the signal. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Not in the turn of the call: whoever asks may be about to change the partition.
    await Promise.resolve();
    // A set is walked in the order of its insertions, also those of the meantime.
    for (const partition of this.#queue) {
      this.#queue.delete(partition);
      if (this.#deps.signal.aborted || !partition.isOwner) continue;
      try {
        await this.#build(partition);
      } catch (error) {
        await this.#retryLater(partition, error);
      }
    }
    this.#running = undefined;
  }

  async #build(partition: PartitionState): Promise<void> {
    const { engine, clock, signal } = this.#deps;
    // In one turn: what is changing now counts as the table knows it, and what becomes durable from now on is added.
    await using view = engine.openView({ reverse: false });
    partition.page?.takeAll();
    const build = partition.tree.begin(partition.changing);
    const damaged = await this.#takePages(partition, build, view);
    // Only a look of now can tell damage from what was healed since the view. With it known, the next build is exact.
    for (const storedKey of damaged) await this.#deps.recheck(partition, storedKey);
    if (damaged.length === 0) return partition.tree.finish(build);
    this.#queue.add(partition);
    await sleep(clock, PAUSE_MS, signal);
  }

  /** Resolves with keys whose damage was not known; ends early where the build is void. */
  async #takePages(partition: PartitionState, build: TreeBuild, view: EngineView): Promise<Uint8Array[]> {
    const { clock, signal } = this.#deps;
    const rest = (): Promise<void> => sleep(clock, PAUSE_MS, signal);
    const damaged: Uint8Array[] = [];
    for await (const entries of pagesOf(view, partitionRange(partition.number), PAGE, rest)) {
      if (signal.aborted) partition.tree.drop();
      if (!partition.tree.isCurrent(build)) return [];
      for (const entry of entries) if (!this.#take(build, entry)) damaged.push(Uint8Array.from(entry.key));
    }
    return damaged;
  }

  #take(build: TreeBuild, { key, value }: EngineEntry): boolean {
    if (build.changing.size > 0 && build.changing.has(keyName(key))) return true;
    const record = decodeIntact(key, value);
    if (record === undefined) return this.#deps.damage.has(keyName(key));
    const { namespaceId, key: userKey } = addressOf(key);
    const hash = hashKey(namespaceId, userKey);
    build.tree.update(hash, undefined, entryHashOf(hash, record));
    return true;
  }

  async #retryLater(partition: PartitionState, error: unknown): Promise<void> {
    const { clock, signal, onError } = this.#deps;
    partition.tree.drop();
    if (error instanceof EngineClosedError || error instanceof EngineFailedError) return;
    onError(error);
    await sleep(clock, RETRY_MS, signal);
    this.#queue.add(partition);
  }
}
