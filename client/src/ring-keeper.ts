import type { NodeAddress } from './node-address.ts';
import type { PartitionMap } from './partition-map.ts';

/** How soon behind the last one the map is asked for again, where a node turned out to be gone. */
const REFRESH_MS_MIN = 250;

export type RingOptions = {
  /** Milliseconds after which a map in use is asked for again. Default 10000. */
  readonly refreshMs?: number;
};

export type FetchedRing =
  | { readonly type: 'ring'; readonly ring: PartitionMap; readonly asked: NodeAddress }
  /** `same`: the epoch that is known. `none`: the node has no map to give. */
  | { readonly type: 'same' }
  | { readonly type: 'none' };

type Deps = {
  readonly nowMs: () => number;
  readonly random: () => number;
  fetch(): Promise<FetchedRing>;
  learn(ring: PartitionMap, asked: NodeAddress): void;
  /** Has members that are new, or were lost, show that they are there; never rejects. */
  prove(): Promise<void>;
};

/**
 * Keeps the map of the partitions fresh while it is used: a client that does nothing asks nothing, and one that makes a
 * single call about a key never asks for it. All of it is beside the calls: none waits for a map, or fails for want of one.
 */
export class RingKeeper {
  readonly #refreshMs: number;
  readonly #deps: Deps;
  #ring: PartitionMap | undefined;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #nextAtMs = 0;
  #underWay: Promise<void> | undefined;
  #isUsed = false;

  constructor({ refreshMs = 10_000 }: RingOptions, deps: Deps) {
    this.#refreshMs = refreshMs;
    this.#deps = deps;
  }

  get ring(): PartitionMap | undefined {
    return this.#ring;
  }

  /** There is a call about a key. */
  touch(): void {
    if (this.#isUsed) this.#refreshIfDue();
    this.#isUsed = true;
  }

  /** A node did not answer: the map may have changed. */
  suspect(): void {
    this.#nextAtMs = Math.min(this.#nextAtMs, this.#startedAtMs + REFRESH_MS_MIN);
    if (this.#ring !== undefined) this.#refreshIfDue();
  }

  /** Rejects where no node could be asked. */
  refresh(): Promise<void> {
    this.#underWay ??= this.#refresh().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  #refreshIfDue(): void {
    if (this.#underWay !== undefined || this.#deps.nowMs() < this.#nextAtMs) return;
    this.refresh().catch(() => {}); // the next one is due by the clock
  }

  async #refresh(): Promise<void> {
    this.#startedAtMs = this.#deps.nowMs();
    this.#nextAtMs = this.#startedAtMs + this.#refreshMs * (0.75 + this.#deps.random() / 2);
    const fetched = await this.#deps.fetch();
    if (fetched.type === 'none') return;
    if (fetched.type === 'ring' && !this.#isOutdated(fetched.ring)) {
      this.#ring = fetched.ring;
      this.#deps.learn(fetched.ring, fetched.asked);
    }
    await this.#deps.prove();
  }

  /** Told by a node that lags. An older epoch of another cluster, at the address that was given, is no older map. */
  #isOutdated({ clusterId, epoch }: PartitionMap): boolean {
    return clusterId === this.#ring?.clusterId && epoch < this.#ring.epoch;
  }
}
