import { DenseSet } from '../../core/dense-set/dense-set.ts';
import type { HashSeed } from '../../core/key-index/half-sip-hash.ts';
import { KeyIndex } from '../../core/key-index/key-index.ts';
import type { TreeShape } from '../../core/merkle/tree-shape.ts';
import { enteringOf, isOwner } from '../../core/moves/rules.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch, MoveSession, Partition } from '../../core/topology/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { KeyState } from './key-state.ts';
import type { PageUnderWay } from './page-under-way.ts';
import { maxVersion, type PartitionFact } from './partition-facts.ts';
import { PartitionTree } from './partition-tree.ts';

type Drain = { readonly until: number; readonly resolve: () => void };

const NO_KEY = new Uint8Array();

/** One partition as this member knows it, owned or not: its fence, its promises, its changes under way, its tree. */
export class PartitionState {
  readonly number: number;
  readonly tree: PartitionTree;
  /** The states of its keys that are in memory, by their data keys; `KeyTable` keeps them. */
  readonly keys: KeyIndex<KeyState>;
  /** Keys with changes under way. */
  readonly changing = new DenseSet<KeyState>();
  /** A page of the bulk on its way to the disk, whose keys are not among those. */
  page: PageUnderWay | undefined;
  /**
   * All that the partition holds, or will once what is under way is durable, are pages of the bulk that came since it was emptied,
   * and no key of them is above this one. Undefined: it holds something else too, or it is not known.
   */
  pagesEnd: Uint8Array | undefined;
  /** The newest epoch that is known: the topology's, or a durable one that the topology has yet to reach again. */
  epoch: Epoch;
  isOwner = false;
  /** Whether the topology that was applied is at `epoch`; it may be behind after a restart. */
  isCurrent = false;
  /** Why this member takes no part in the partition, if it does not. */
  outReason: string | undefined;
  floor: Version;
  durable: PartitionFact;
  /** The move by which this member comes to the partition, while it does: nothing is served before it has entered. */
  arrival: MoveSession | undefined;
  /** It may lack what the set before holds: what others bring is taken, also at or below the watermark. */
  isFilling = false;
  /** Others are filled from here: it is of F in the stage `transfer`. */
  isSource = false;
  readonly #self: MemberId;
  #watermarkWanted: Version;
  #sessionWanted: MoveSession;
  #seen: Partition | undefined;
  #issued = 0;
  /** How many writes were issued before the present epoch was learned. */
  #issuedBefore = 0;
  #settled = 0;
  #drains: Drain[] = [];

  constructor(
    number: number,
    options: { readonly self: MemberId; readonly treeShape: TreeShape; readonly hashSeed: HashSeed },
    fact: PartitionFact,
  ) {
    this.number = number;
    this.keys = new KeyIndex(options.hashSeed);
    this.tree = new PartitionTree(options.treeShape);
    this.#self = options.self;
    this.epoch = fact.epoch;
    this.floor = fact.floor;
    this.#watermarkWanted = fact.watermark;
    this.#sessionWanted = fact.session;
    this.durable = fact;
  }

  /** Owned, entered, and its epoch is durable: requests of that epoch may be served. */
  get isServing(): boolean {
    return (
      this.hasEntered && this.isCurrent && this.durable.epoch === this.epoch && this.outReason === undefined
    );
  }

  /** Whether what is stored here belongs to the present set. */
  get hasEntered(): boolean {
    return this.isOwner && (this.arrival === undefined || this.durable.session === this.arrival);
  }

  /** Writes that were accepted under an older epoch, and are neither durable nor refused yet. */
  get olderWritesOpen(): number {
    return Math.max(0, this.#issuedBefore - this.#settled);
  }

  get watermark(): Version {
    return this.durable.watermark;
  }

  /** What shall be durable. */
  get wanted(): PartitionFact {
    const isIn = this.isOwner && (this.arrival === undefined || this.#sessionWanted === this.arrival);
    const epoch = isIn ? this.epoch : this.durable.epoch;
    return { epoch, floor: this.floor, watermark: this.#watermarkWanted, session: this.#sessionWanted };
  }

  /** Takes what the topology says now; whether anything changed. */
  learn(partition: Partition): boolean {
    if (this.#seen === partition) return false;
    this.#seen = partition;
    this.isCurrent = partition.epoch >= this.epoch;
    if (!this.isCurrent) return true;
    if (this.epoch !== partition.epoch) this.#issuedBefore = this.#issued;
    this.epoch = partition.epoch;
    const { replicas, move } = partition;
    const isArriving = move !== undefined && enteringOf(replicas, move.to).includes(this.#self);
    this.isOwner = isOwner(partition, this.#self);
    this.arrival = isArriving ? move.session : undefined;
    this.isFilling = isArriving && move.stage !== 'switch';
    this.isSource = move?.stage === 'transfer' && replicas.includes(this.#self);
    if (!this.hasEntered) this.tree.drop();
    return true;
  }

  /** The partition was emptied for `session`: what is wanted is durable with it, and with the promises of the set before. */
  enter(session: MoveSession, watermark: Version, floor: Version): void {
    this.wantWatermark(watermark);
    this.wantFloor(floor);
    this.#sessionWanted = session;
    this.pagesEnd = NO_KEY;
    this.tree.becomeEmpty();
  }

  /** A floor refuses from this turn on. */
  wantFloor(floor: Version): void {
    this.floor = maxVersion(this.floor, floor);
  }

  /** A watermark counts once it is durable; its floor at once. */
  wantWatermark(watermark: Version): void {
    this.wantFloor(watermark);
    this.#watermarkWanted = maxVersion(this.#watermarkWanted, watermark);
  }

  becameDurable(fact: PartitionFact): void {
    this.durable = fact;
  }

  /** Whether a client's write of `version` would break what was promised. */
  isAtOrBelowFloor(version: Version): boolean {
    return compareVersions(version, this.floor) <= 0;
  }

  isAtOrBelowWatermark(version: Version): boolean {
    return compareVersions(version, this.watermark) <= 0;
  }

  isInFlight(leaf: number): boolean {
    for (const state of this.changing) if (state.leaf === leaf) return true;
    return this.page?.hasLeaf(leaf) === true;
  }

  noteIssued(): void {
    this.#issued += 1;
    this.pagesEnd = undefined;
  }

  /** `last`: the highest key of a page, above all others. */
  notePageIssued(page: PageUnderWay, last: Uint8Array): void {
    this.#issued += 1;
    this.page = page;
    this.pagesEnd = last;
  }

  /** The engine settles in the order of the calls. */
  noteSettled(): void {
    this.#settled += 1;
    while (this.#drains.length > 0 && (this.#drains[0]?.until as number) <= this.#settled)
      this.#drains.shift()?.resolve();
  }

  /** Resolves when every write issued so far is settled, whatever its outcome. */
  drained(): Promise<void> {
    if (this.#settled === this.#issued) return Promise.resolve();
    return new Promise((resolve) => this.#drains.push({ until: this.#issued, resolve }));
  }
}
