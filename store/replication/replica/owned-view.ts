import type { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { Epoch } from '../../core/topology/types.ts';
import { formatVersion, type Version } from '../../core/version/version.ts';
import type { KeyAt, KeyReport, LeafEntry } from '../../peer/data-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../storage/engine.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { LeavesQuery, OwnedPartition } from '../types.ts';
import type { Collector } from './collector.ts';
import type { Damage } from './damage.ts';
import type { ExpiryCollector } from './expiry-collector.ts';
import type { Inspected, KeyInspector } from './key-inspector.ts';
import type { LeafScan } from './leaf-scan.ts';
import type { FactKeeper } from './partition-facts.ts';
import type { PartitionState } from './partition-state.ts';
import { tombstoneRange } from './ranges.ts';
import type { Writer } from './writer.ts';

export type OwnedViewOptions = { readonly skewMsMax: number; readonly propagationMs: number };

export type OwnedViewDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly facts: FactKeeper;
  readonly writer: Writer;
  readonly collector: Collector;
  readonly expiry: ExpiryCollector;
  readonly scan: LeafScan;
  readonly inspector: KeyInspector;
  readonly damage: Damage;
  rebuildTree(partition: PartitionState): void;
};

/** One partition as anti-entropy sees it; it stays the view of the partition when the epoch changes. */
export class OwnedView implements OwnedPartition {
  readonly #options: OwnedViewOptions;
  readonly #deps: OwnedViewDeps;
  readonly #state: PartitionState;

  constructor(options: OwnedViewOptions, deps: OwnedViewDeps, state: PartitionState) {
    this.#options = options;
    this.#deps = deps;
    this.#state = state;
  }

  get partition(): number {
    return this.#state.number;
  }

  get epoch(): Epoch {
    return this.#state.epoch;
  }

  get floor(): Version {
    return this.#state.floor;
  }

  get watermark(): Version {
    return this.#state.watermark;
  }

  get tree(): MerkleTree | undefined {
    return this.#state.tree.ready;
  }

  get lacksRecords(): boolean {
    return this.#state.isSource && this.#deps.damage.isIn(this.#state);
  }

  isInFlight(leaf: number): boolean {
    return this.#state.isInFlight(leaf);
  }

  async raiseFloor(floor: Version): Promise<void> {
    const { propagationMs, skewMsMax } = this.#options;
    const wallMsMax = this.#deps.clock.nowMs() - propagationMs + skewMsMax;
    if (floor.wallMs > wallMsMax)
      throw new RangeError(
        `the floor ${formatVersion(floor)} is ${floor.wallMs - wallMsMax} ms too high for the clock here: a floor lies ` +
          `at least ${propagationMs} ms (replication.propagationMs) behind the clock, give or take ${skewMsMax} ms ` +
          '(clock.skewMsMax); set the clocks right',
      );
    this.#state.wantFloor(floor);
    await this.#promise();
  }

  async raiseWatermark(watermark: Version): Promise<void> {
    this.#state.wantWatermark(watermark);
    await this.#promise();
  }

  listLeaves(
    query: LeavesQuery,
  ): Promise<{ readonly entries: readonly LeafEntry[]; readonly done: boolean }> {
    return this.#deps.scan.list(this.#state, query);
  }

  async collect(recordsMax: number): Promise<number> {
    const tombstones = await this.#deps.collector.collectTombstones(this.#state, recordsMax);
    if (tombstones >= recordsMax) return tombstones;
    return tombstones + (await this.#deps.expiry.collect(recordsMax - tombstones));
  }

  async hasGarbage(nowMs: number): Promise<boolean> {
    await using view = this.#deps.engine.openView({ reverse: false });
    const page = await view.page(tombstoneRange(this.partition, undefined), {
      entriesMax: 1,
      bytesMax: 4096,
    });
    return page.entries.length > 0 || (await this.#deps.expiry.hasExpired(this.partition, nowMs));
  }

  rebuildTree(): void {
    this.#deps.rebuildTree(this.#state);
  }

  async report(key: KeyAt): Promise<Omit<KeyReport, 'hints' | 'lastExchange'>> {
    const storedKey = dataKey({ partition: this.partition, ...key });
    const { epoch, floor, watermark } = this;
    const treeState = this.tree === undefined ? 'building' : 'ready';
    return {
      epoch,
      floor,
      watermark,
      treeState,
      ...reported(await this.#deps.inspector.look(this.#state, storedKey)),
    };
  }

  /** What was accepted up to this turn, and what is refused from it on, becomes durable. */
  async #promise(): Promise<void> {
    await Promise.all([this.#deps.facts.save(this.#state), this.#state.drained()]);
    if (this.#deps.writer.failure !== undefined) throw this.#deps.writer.failure;
  }
}

function reported(
  inspected: Inspected,
): Pick<KeyReport, 'version' | 'isTombstone' | 'expiresAtMs' | 'bytes' | 'isCorrupt'> {
  if (inspected.type === 'intact') return { ...inspected.held, bytes: inspected.bytes, isCorrupt: false };
  const isCorrupt = inspected.type === 'damaged';
  return { version: undefined, isTombstone: false, expiresAtMs: undefined, bytes: 0, isCorrupt };
}
