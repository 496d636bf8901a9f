import type { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { Epoch, MoveSession } from '../../core/topology/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { BulkPage } from '../../peer/bulk-page.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { ReplicaReply, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { OwnedPartition, Replica, ReplicaCall } from '../types.ts';
import type { PageStored } from './page-admission.ts';
import { type ReadFact, readFacts } from './partition-facts.ts';
import type { PartitionState } from './partition-state.ts';
import type { ReplicaDeps, ReplicaOptions } from './replica-options.ts';
import { saveTrees, takeTrees } from './tree-file.ts';
import { type ReplicaParts, wireReplica } from './wire-replica.ts';

/**
 * Opens this member's share of the data. Nothing else may write records of this engine from then on. Resolves once what
 * the topology says now is served; it follows the topology by itself.
 */
export async function openReplica(options: ReplicaOptions, deps: ReplicaDeps): Promise<LocalReplica> {
  const facts = await readFacts(deps.meta, options.partitions);
  const trees = await takeTrees(options.treeShape, deps);
  const replica = new LocalReplica(options, deps, { facts, trees });
  await replica.settled();
  return replica;
}

/** What the set before a move refuses, and what it may have forgotten: the highest of its members. */
export type Promises = { readonly floor: Version; readonly watermark: Version };

/** What the disk holds beside the records. */
type Stored = { readonly facts: readonly ReadFact[]; readonly trees: ReadonlyMap<number, MerkleTree> };

/** The one gate in front of the records of this member (docs/replication.md). */
export class LocalReplica implements Replica {
  readonly #deps: ReplicaDeps;
  readonly #parts: ReplicaParts;
  readonly #ending = new AbortController();
  readonly #forget: () => void;
  readonly #saving = new Set<Promise<void>>();
  #stopping: Promise<void> | undefined;

  constructor(options: ReplicaOptions, deps: ReplicaDeps, stored: Stored) {
    this.#deps = deps;
    const again = (call: ReplicaCall): void => this.answer(call);
    this.#parts = wireReplica(options, { ...deps, signal: this.#ending.signal, again }, stored.facts);
    for (const [number, tree] of stored.trees) this.#parts.partitions[number]?.tree.become(tree);
    this.#forget = deps.topology.onChange(() => this.#follow());
    this.#follow();
  }

  /** Why this member takes no part at all, if it does not: for readiness. */
  get outReason(): string | undefined {
    return this.#parts.gate.outReason;
  }

  /** The answer to a question whose key is in memory; undefined: only `answer` can tell. Changes nothing. */
  serveNow(request: ReplicaRequest): ReplicaReply | undefined {
    if (request.body.type === 'store') return undefined;
    const partition = this.#parts.gate.enter(request);
    return partition === undefined ? undefined : this.#parts.reads.now(request, partition);
  }

  /** `call.done` is called once, in this turn where nothing has to be waited for. */
  answer(call: ReplicaCall): void {
    const { gate, reads, stores } = this.#parts;
    const partition = gate.enter(call.request);
    const { body } = call.request;
    if (partition === undefined) gate.hold(call, (held) => this.answer(held));
    else if (body.type === 'store') stores.serve(call, body, partition);
    else reads.serve(call, partition);
  }

  /** Stores a page of the bulk of a partition under the epoch that it names: all that belongs here, or nothing. */
  async storePage(at: PartitionAt, page: BulkPage): Promise<PageStored> {
    const { partitions, pages } = this.#parts;
    const state = partitions[at.partition];
    if (state === undefined) throw new RangeError(`there is no partition ${at.partition}`);
    return await pages.store(at, state, page);
  }

  owned(partition: number): OwnedPartition | undefined {
    const { partitions, owned, gate } = this.#parts;
    return !gate.isClosed && partitions[partition]?.isServing ? owned[partition] : undefined;
  }

  ownedPartitions(): readonly number[] {
    if (this.#parts.gate.isClosed) return [];
    return this.#parts.partitions.filter(({ isServing }) => isServing).map(({ number }) => number);
  }

  /** Whether this member has emptied the partition for that move, and taken over what the set before promised. */
  hasEntered(partition: number, session: MoveSession): boolean {
    return this.#parts.partitions[partition]?.durable.session === session;
  }

  /**
   * Comes to a partition with the move `session` (docs/replication.md, arriving and leaving): deletes what an earlier time left here, then makes the
   * session durable with the highest floor and watermark of the set before. True once it serves the partition; false where the move
   * has ended, or this member takes no part. A second call for the same session deletes nothing.
   */
  async enter(partition: number, session: MoveSession, promises: Promises): Promise<boolean> {
    const { partitions, facts, builder, emptier, gate } = this.#parts;
    const state = partitions[partition];
    const isDue = (): boolean => state?.arrival === session && !state.hasEntered && !gate.isClosed;
    if (state === undefined || !isDue()) return this.owned(partition) !== undefined;
    const isEmptied = await emptier.empty(state, isDue);
    if (!isEmptied || !isDue()) return this.owned(partition) !== undefined;
    state.enter(session, promises.watermark, promises.floor);
    await facts.save(state);
    if (state.hasEntered && state.tree.isMissing) builder.rebuild(state);
    gate.wake();
    return this.owned(partition) !== undefined;
  }

  /**
   * Whether this member may confirm `epoch` of a partition: it is durable, and so is, or was refused, whatever was accepted
   * under an older one. As a source also that no record is damaged: others would take what is left for all that there is.
   */
  mayConfirm(partition: number, epoch: Epoch): boolean {
    const state = this.#parts.partitions[partition];
    if (state === undefined || this.#parts.gate.isClosed) return false;
    if (state.isSource && this.#parts.damage.isIn(state)) return false;
    return state.isServing && state.epoch === epoch && state.olderWritesOpen === 0;
  }

  /** Removes expired records of all partitions at or below their watermarks; resolves with how many. */
  collectExpired(recordsMax: number): Promise<number> {
    return this.#parts.expiry.collect(recordsMax);
  }

  /** Deletes the data of a namespace that is not served any more; resolves once it is durably gone. */
  dropNamespace(namespaceId: number): Promise<void> {
    return this.#parts.dropper.drop(namespaceId);
  }

  /** Which namespaces are served has changed. */
  namespacesChanged(): void {
    this.#parts.gate.wake();
  }

  /** This member has lost what it promised, of a partition or altogether: it takes no part from this turn on. */
  takeOut(reason: string, partition?: number): void {
    const { gate, partitions } = this.#parts;
    const state = partition === undefined ? undefined : partitions[partition];
    if (partition === undefined) gate.takeOut(reason);
    if (state !== undefined) state.outReason ??= reason;
    gate.wake();
  }

  /** Resolves once the epochs that the topology named so far are durable. */
  async settled(): Promise<void> {
    while (this.#saving.size > 0) await Promise.all(this.#saving);
  }

  /** Resolves once all trees are built that are missing now. */
  treesBuilt(): Promise<void> {
    return this.#parts.builder.settled();
  }

  /** Refuses what comes, waits for the disk, and keeps the trees for the next start. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { gate, partitions, builder, emptier, writer, damage } = this.#parts;
    this.#forget();
    gate.stop();
    this.#ending.abort();
    await emptier.settled();
    await Promise.all([
      ...partitions.map((partition) => partition.drained()),
      builder.settled(),
      this.settled(),
    ]);
    if (writer.failure !== undefined) return;
    const trees = new Map<number, MerkleTree>();
    // Damage is not remembered: the next start has to come upon it again, as it builds the tree.
    for (const partition of partitions) {
      const { number, tree } = partition;
      if (tree.ready !== undefined && !damage.isIn(partition)) trees.set(number, tree.ready);
    }
    await saveTrees(this.#deps.engine, trees);
  }

  /** Nobody asks this member for the partition any more. */
  #leave(state: PartitionState): void {
    void this.#parts.emptier.leave(state);
  }

  /** What the topology says counts from this turn on; what is new is served once it is durable. */
  #follow(): void {
    const { partitions, builder, gate } = this.#parts;
    const saves: Promise<void>[] = [];
    for (const [number, partition] of this.#deps.topology.partitions().entries()) {
      const state = partitions[number];
      if (!state?.learn(partition)) continue;
      if (state.isCurrent && !state.isOwner) this.#leave(state);
      if (!state.hasEntered || state.outReason !== undefined) continue;
      if (state.tree.isMissing) builder.rebuild(state);
      saves.push(this.#parts.facts.save(state));
    }
    const saving = Promise.all(saves)
      .then(() => gate.wake(), this.#deps.onError)
      .finally(() => this.#saving.delete(saving));
    this.#saving.add(saving);
  }
}
