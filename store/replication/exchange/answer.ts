import { answerWalk } from '../../core/merkle/answer-walk.ts';
import { HASH_BYTES, writeHash } from '../../core/merkle/entry-hash.ts';
import { nodesOnLevel } from '../../core/merkle/tree-shape.ts';
import { compareVersions, formatVersion } from '../../core/version/version.ts';
import type {
  DataReply,
  LeavesRequest,
  PartitionAt,
  RootOf,
  RoundOutcome,
  RoundRequest,
  WalkRequest,
} from '../../peer/data-messages.ts';
import type { OwnedPartition, Routing } from '../types.ts';
import type { AntiEntropyEvent, ExchangeLimits, ExchangeReplica } from './exchange-options.ts';
import { fence, isRefused, refused } from './fence.ts';
import { TreeAudit } from './tree-audit.ts';

export type AnswerOptions = Pick<
  ExchangeLimits,
  'rootsPerRequestMax' | 'walkAnswerBytesMax' | 'leafEntriesMax'
>;
export type AnswerDeps = {
  readonly routing: Routing;
  readonly replica: ExchangeReplica;
  /** The watermark has risen: there may be something to collect. */
  readonly onSettled: (partition: number) => void;
  readonly tell: (event: AntiEntropyEvent) => void;
};

type RootsRequest = { readonly type: 'roots'; readonly partitions: readonly PartitionAt[] };
export type AnsweredRequest = RootsRequest | WalkRequest | LeavesRequest | RoundRequest;

const NO_VERSION = { wallMs: 0, counter: 0, member: 0 };

/** The answering side of exchanges and rounds, for other members and for this one. It keeps nothing between requests. */
export class ExchangeAnswerer {
  readonly #options: AnswerOptions;
  readonly #deps: AnswerDeps;
  readonly #audit: TreeAudit;

  constructor(options: AnswerOptions, deps: AnswerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#audit = new TreeAudit({ tell: (partition) => deps.tell({ type: 'tree-rebuilt', partition }) });
  }

  async answer(request: AnsweredRequest): Promise<DataReply> {
    return request.type === 'roots' ? this.#roots(request) : await this.#ofPartition(request);
  }

  async #ofPartition(request: Exclude<AnsweredRequest, RootsRequest>): Promise<DataReply> {
    const owned = fence(this.#deps, request);
    if (isRefused(owned)) return owned;
    switch (request.type) {
      case 'walk':
        return this.#walk(owned, request);
      case 'leaves':
        return await this.#leaves(owned, request);
      case 'round':
        return await this.#round(owned, request);
    }
  }

  #roots({ partitions }: RootsRequest): DataReply {
    const asked = partitions.slice(0, this.#options.rootsPerRequestMax);
    return { type: 'roots', roots: asked.map((at) => this.#root(at)) };
  }

  #root(at: PartitionAt): RootOf {
    const owned = fence(this.#deps, at);
    const nothing = { partition: at.partition, root: new Uint8Array(), entries: 0 };
    if (isRefused(owned))
      return { ...nothing, epoch: owned.epoch, state: 'refused', floor: NO_VERSION, watermark: NO_VERSION };
    const { epoch, floor, watermark, tree } = owned;
    if (tree === undefined) return { ...nothing, epoch, state: 'building', floor, watermark };
    const root = new Uint8Array(HASH_BYTES);
    writeHash(tree.root(), root, 0);
    return { ...nothing, epoch, state: 'ready', root, entries: tree.entryCount, floor, watermark };
  }

  #walk(owned: OwnedPartition, { ask }: WalkRequest): DataReply {
    const { tree } = owned;
    if (tree === undefined) return isBuilding(owned);
    if (owned.lacksRecords) return isDamaged(owned);
    const answerBytesMax = this.#options.walkAnswerBytesMax;
    return { type: 'walk', answer: answerWalk({ answerBytesMax }, tree, ask) };
  }

  async #leaves(owned: OwnedPartition, request: LeavesRequest): Promise<DataReply> {
    const { tree } = owned;
    // To list nothing would be to say that nothing is held: a round would settle without what is.
    if (tree === undefined) return isBuilding(owned);
    const leaves = request.leaves.filter((leaf) => isLeafOf(tree, leaf));
    const { after } = request;
    const entriesMax = Math.max(1, Math.min(request.entriesMax, this.#options.leafEntriesMax));
    const check = this.#audit.begin(owned, leaves);
    const page = await owned.listLeaves({ leaves: new Set(leaves), after, entriesMax });
    const again = fence(this.#deps, request);
    if (isRefused(again)) return again;
    // The listing may have come upon it. Whoever is filled from here would miss what is damaged, and think that it has all.
    if (again.lacksRecords) return isDamaged(again);
    if (after === undefined && page.done) check(page.entries);
    return { type: 'leaves', ...page };
  }

  async #round(owned: OwnedPartition, request: RoundRequest): Promise<DataReply> {
    const outcome = await this.#step(owned, request);
    // The step itself may have been waited for while the replica set changed: it proves nothing about the new one.
    const again = fence(this.#deps, request);
    if (isRefused(again)) return again;
    if (outcome !== undefined) return { type: 'round', outcome };
    const { floor, watermark } = again;
    return { type: 'round', outcome: { type: 'confirmed', floor, watermark } };
  }

  /** Undefined where it was done. */
  async #step(owned: OwnedPartition, { stage, round }: RoundRequest): Promise<RoundOutcome | undefined> {
    const { partition } = owned;
    if (this.#deps.routing.viewOf(partition)?.sets.type !== 'still')
      return { type: 'refused', reason: `partition ${partition} is moving` };
    if (stage === 'settled') return await this.#settle(owned, round.floor);
    try {
      // Also where the floor is as high already: it may not be durable yet.
      await owned.raiseFloor(round.floor);
      return undefined;
    } catch (error) {
      if (error instanceof RangeError) return { type: 'refused', reason: error.message };
      throw error;
    }
  }

  /** A floor below the round's was never confirmed by this replica: its watermark must not follow. */
  async #settle(owned: OwnedPartition, watermark: RoundRequest['round']['floor']) {
    const { partition, floor } = owned;
    if (compareVersions(floor, watermark) < 0) {
      const told = `its floor is ${formatVersion(floor)}, the round's ${formatVersion(watermark)}`;
      return { type: 'refused', reason: `it did not confirm this round: ${told}` } as const;
    }
    await owned.raiseWatermark(watermark);
    this.#deps.onSettled(partition);
    return undefined;
  }
}

function isBuilding({ partition, epoch }: PartitionAt): DataReply {
  return refused('TREE_BUILDING', `the tree of partition ${partition} is being built: ask later`, epoch);
}

function isDamaged({ partition, epoch }: PartitionAt): DataReply {
  const what = `records of partition ${partition} are damaged here`;
  return refused('RECORD_CORRUPT', `${what}: it is no source until they are healed from the others`, epoch);
}

function isLeafOf({ shape }: NonNullable<OwnedPartition['tree']>, leaf: number): boolean {
  return Number.isInteger(leaf) && leaf >= 0 && leaf < nodesOnLevel(shape, shape.depth);
}
