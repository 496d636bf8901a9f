import { ClusterError } from '../../cluster/cluster-admin.ts';
import { failed, type Reply } from '../../core/resp/reply.ts';
import { SLOT_COUNT, slotOf } from '../../core/ring/slot.ts';
import type { KeyPlace, RespMetrics } from '../resp-metrics.ts';
import type { RespOptions } from './resp-options.ts';
import { type Owner, partitionRanges, type SlotContext } from './slot-owners.ts';

export type KeyRoutingOptions = Pick<RespOptions, 'redirect'>;
export type KeyRoutingDeps = {
  readonly slots: SlotContext;
  readonly metrics: Pick<RespMetrics, 'countRespKey'>;
};

/** What a connection remembers of being told. */
export type Told = { movedAtMs: number | undefined };

/** The table is looked up again after so long: a look at the whole ring is too much for each command. */
const TABLE_MS = 1000;
/**
 * A connection is told at most so often. Every node serves every key, so MOVED is a hint and no refusal: one is enough for a client to
 * ask for the slots again, and two nodes of which one has not heard of a move yet cannot send a client to and fro.
 */
const TELL_EACH_MS = 100;

type Partition = { readonly place: KeyPlace; readonly owner: Owner };

/** Where the keys of commands are, seen from this node; and MOVED for clients that had better ask another one. */
export class KeyRouting {
  readonly #options: KeyRoutingOptions;
  readonly #deps: KeyRoutingDeps;
  #partitions: readonly (Partition | undefined)[] = [];
  #slotsEach = SLOT_COUNT;
  #lookedUpAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: KeyRoutingOptions, deps: KeyRoutingDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /**
   * Counts where `key` is. A reply where the client is to be told of its owner, and the command is not to be done. `nowMs` is
   * of a clock that never goes back.
   */
  look(told: Told, key: Uint8Array, nowMs: number): Reply | undefined {
    if (nowMs - this.#lookedUpAtMs >= TABLE_MS) this.#lookUp(nowMs);
    const slot = slotOf(key);
    const partition = this.#partitions[Math.floor(slot / this.#slotsEach)];
    if (partition === undefined) return undefined;
    this.#deps.metrics.countRespKey(partition.place);
    if (this.#options.redirect === 'never' || partition.place !== 'elsewhere') return undefined;
    return moved(told, slot, partition.owner, nowMs);
  }

  /** Nothing is counted, and nobody sent away, as long as nothing is placed. */
  #lookUp(nowMs: number): void {
    this.#lookedUpAtMs = nowMs;
    this.#partitions = tableOf(this.#deps.slots);
    this.#slotsEach = SLOT_COUNT / Math.max(1, this.#partitions.length);
  }
}

function moved(told: Told, slot: number, { host, port, isUp }: Owner, nowMs: number): Reply | undefined {
  if (!isUp || (told.movedAtMs !== undefined && nowMs - told.movedAtMs < TELL_EACH_MS)) return undefined;
  told.movedAtMs = nowMs;
  return failed(`MOVED ${slot} ${host}:${port}`);
}

/** One for each partition; empty where nothing is placed. */
function tableOf(context: SlotContext): readonly (Partition | undefined)[] {
  try {
    const { partitions = 1, sets = [] } = context.data()?.ring() ?? {};
    const { member: self } = context.cluster.status().node;
    if (self === undefined || sets.length === 0) return [];
    const owners = new Map(partitionRanges(context).map(({ first, owner }) => [first, owner]));
    return sets.map(({ replicas, movingTo = [] }, partition) => {
      const owner = owners.get((partition * SLOT_COUNT) / partitions);
      if (owner === undefined) return undefined;
      const isReplica = replicas.includes(self) || movingTo.includes(self);
      return { owner, place: owner.isSelf ? 'first' : isReplica ? 'replica' : 'elsewhere' };
    });
  } catch (error) {
    if (error instanceof ClusterError) return [];
    throw error;
  }
}
