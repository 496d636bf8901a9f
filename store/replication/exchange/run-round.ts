import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { MemberId } from '../../core/raft/types.ts';
import {
  comparedAll,
  hearRound,
  learnRoundEpoch,
  type Round,
  roundVerdict,
  startRound,
} from '../../core/round/round.ts';
import type { Epoch } from '../../core/topology/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { PartitionAt, RoundRequest } from '../../peer/data-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OwnedPartition, ReplicaClient, Routing } from '../types.ts';
import type { Cargo, Carried } from './carry.ts';
import { type DataAsker, isFailure } from './data-asker.ts';
import type { RoundOutcomeType } from './exchange-log.ts';
import type { AntiEntropyOptions, ExchangeReplica } from './exchange-options.ts';
import { findLeaves } from './find-leaves.ts';
import type { Watermarks } from './holdings.ts';
import type { Problems } from './problems.ts';
import { settleLeaves } from './settle-leaves.ts';

export type RunRoundDeps = {
  readonly clock: Clock;
  readonly routing: Routing;
  readonly replica: ExchangeReplica;
  readonly client: ReplicaClient;
  readonly asker: DataAsker;
  readonly carry: (cargo: Cargo, signal: AbortSignal) => Promise<Carried>;
  readonly problems: Problems;
};

export type RoundResult = {
  readonly outcome: RoundOutcomeType;
  /** For people; empty where it settled. */
  readonly reason: string;
  readonly floor: Version | undefined;
  readonly keysRepaired: number;
  readonly keysIgnored: number;
  readonly recordBytes: number;
  readonly comparedBytes: number;
  /** Live records below a watermark that are not on all replicas. They hold nothing back: they are an error to look into. */
  readonly sealedDifferences: number;
};

export type AskedRound = {
  readonly partition: number;
  readonly number: number;
  /** As of settleLeaves. */
  readonly isThorough: boolean;
};

/** The round came to an end without a result: nothing was settled, and nothing is wrong. */
class RoundEnd extends Error {
  override readonly name = 'RoundEnd';
  readonly outcome: RoundOutcomeType;

  constructor(outcome: RoundOutcomeType, message: string) {
    super(message);
    this.outcome = outcome;
  }
}

export async function runRound(
  options: AntiEntropyOptions,
  deps: RunRoundDeps,
  asked: AskedRound,
  signal: AbortSignal,
): Promise<RoundResult> {
  const run = new RoundRun(options, deps, asked, signal);
  try {
    await run.all();
    return run.result('settled', '');
  } catch (error) {
    if (error instanceof RoundEnd) return run.result(error.outcome, error.message);
    throw error;
  }
}

/** One round of one partition, from its initiator (docs/anti-entropy.md). What is decided, is decided by the `Round`. */
class RoundRun {
  readonly #options: AntiEntropyOptions;
  readonly #deps: RunRoundDeps;
  readonly #partition: number;
  readonly #signal: AbortSignal;
  readonly #number: number;
  readonly #isThorough: boolean;
  #round: Round | undefined;
  #totals = { keysRepaired: 0, keysIgnored: 0, recordBytes: 0, comparedBytes: 0, sealedDifferences: 0 };

  constructor(options: AntiEntropyOptions, deps: RunRoundDeps, asked: AskedRound, signal: AbortSignal) {
    this.#options = options;
    this.#deps = deps;
    this.#partition = asked.partition;
    this.#number = asked.number;
    this.#isThorough = asked.isThorough;
    this.#signal = signal;
  }

  result(outcome: RoundOutcomeType, reason: string): RoundResult {
    return { outcome, reason, floor: this.#round?.id.floor, ...this.#totals };
  }

  async all(): Promise<void> {
    this.#round = this.#begin();
    await this.#checkPromises(this.#round);
    const watermarks = await this.#confirmFloor(this.#round);
    await this.#compare(this.#current(), watermarks);
    await this.#settle(comparedAll(this.#current()));
  }

  #begin(): Round {
    const { clock, routing } = this.#deps;
    const { self, incarnation, propagationMs } = this.#options;
    const { epoch, members } = this.#setOf();
    const down = members.filter((member) => member !== self && !routing.isUp(member));
    if (down.length > 0) throw new RoundEnd('held-back', `${this.#namesOf(down)} is down`);
    const floor = { wallMs: Math.max(0, clock.nowMs() - propagationMs), counter: 0, member: 0 };
    return startRound(epoch, { initiator: self, incarnation, number: this.#number, floor }, members);
  }

  #setOf(): { readonly epoch: Epoch; readonly members: readonly MemberId[] } {
    const { routing, replica } = this.#deps;
    const view = routing.viewOf(this.#partition);
    if (view === undefined) throw new RoundEnd('void', 'the partition is not placed');
    if (view.sets.type !== 'still') throw new RoundEnd('void', 'the partition is moving');
    if (replica.owned(this.#partition)?.epoch !== view.epoch)
      throw new RoundEnd('void', 'this member does not serve the partition at its epoch');
    return { epoch: view.epoch, members: view.sets.set };
  }

  /**
   * A floor hides what a restored disk has lost: the round's is above all watermarks. So the floors are looked at before they
   * rise.
   */
  async #checkPromises({ members, epoch }: Round): Promise<void> {
    const partitions = [{ partition: this.#partition, epoch }];
    const replies = await this.#askAll(members, (to) =>
      this.#deps.asker.ask('roots', { type: 'roots', to, partitions }),
    );
    const roots = replies.map(({ member, reply }) => ({ member, root: reply.roots[0] }));
    for (const { member, root } of roots) {
      if (root?.epoch !== epoch || root.state === 'refused')
        throw new RoundEnd('void', `${this.#namesOf([member])} does not serve the partition at this epoch`);
      if (root.state === 'building')
        throw new RoundEnd('held-back', `the tree of ${this.#namesOf([member])} is being built`);
      for (const other of roots) {
        if (other.root === undefined || compareVersions(root.floor, other.root.watermark) >= 0) continue;
        // The two were asked at one moment, so a round that settled in between looks alike.
        const again = await this.#deps.asker.ask('roots', { type: 'roots', to: member, partitions });
        const second = isFailure(again) ? undefined : again.roots[0];
        // Who does not serve the partition at this epoch any more says nothing of its floor.
        const floor = second?.state === 'refused' || second?.epoch !== epoch ? undefined : second.floor;
        const { watermark } = other.root;
        if (floor !== undefined && compareVersions(floor, watermark) < 0)
          this.#deps.problems.promisesLost({ partition: this.#partition, member, floor, watermark });
        throw new RoundEnd('held-back', `the floor of ${this.#namesOf([member])} is below a watermark`);
      }
    }
  }

  /**
   * Resolves with the watermarks that the members had before the comparison. This member raises its own floor last: its
   * clock may be far ahead, then those of the others refuse, and nothing could take its own promise back (D3).
   */
  async #confirmFloor({ members }: Round): Promise<Watermarks> {
    const { self } = this.#options;
    const others = members.filter((member) => member !== self);
    const answers = await this.#tell(others, 'floor');
    this.#requireFloorOf(others);
    const own = await this.#tell([self], 'floor');
    this.#requireFloorOf(members);
    return new Map([...answers, ...own]);
  }

  #requireFloorOf(members: readonly MemberId[]): void {
    const { confirmed } = this.#current();
    const missing = members.filter((member) => !confirmed.has(member));
    if (missing.length > 0)
      throw new RoundEnd('held-back', `${this.#namesOf(missing)} did not confirm the floor`);
  }

  async #compare(round: Round, watermarks: Watermarks): Promise<void> {
    const { epoch, members, id } = round;
    const at = { partition: this.#partition, epoch };
    const leaves = await this.#differingLeaves(at, members);
    if (leaves.size === 0) return;
    const settled = await settleLeaves(
      { ...this.#options, at, floor: id.floor, isThorough: this.#isThorough, leaves, watermarks },
      this.#deps,
      this.#signal,
    );
    this.#count(settled.carried, settled.comparedBytes);
    const sealed = await this.#deps.problems.lookInto(at, settled.suspects, watermarks);
    this.#totals.sealedDifferences = sealed.length;
    if (settled.failure !== undefined) throw new RoundEnd('held-back', settled.failure);
    if (settled.unsettled > 0)
      throw new RoundEnd('unsettled', `${settled.unsettled} keys still differed at the end`);
  }

  /**
   * All walks take the same copy of this member's tree, made after all had confirmed: so each replica is seen once, and
   * what differs from it between two walks cannot pass for equal.
   */
  async #differingLeaves(at: PartitionAt, members: readonly MemberId[]): Promise<ReadonlySet<number>> {
    const { tree } = this.#owned(at.epoch);
    if (tree === undefined) throw new RoundEnd('held-back', 'the tree of this member is being built');
    const copy = new MerkleTree(tree.shape);
    copy.addLeaves(tree.leafWords(), tree.entryCount);
    const leaves = new Set<number>();
    const { walkAnswerBytesMax: answerBytesMax } = this.#options.limits;
    for (const member of members) {
      if (member === this.#options.self) continue;
      const found = await findLeaves(
        { at, member, answerBytesMax, isExcluded: () => false },
        copy,
        this.#deps.asker,
      );
      if (isFailure(found)) throw this.#endOf(member, found);
      this.#totals.comparedBytes += found.bytes;
      for (const leaf of found.leaves) leaves.add(leaf);
    }
    return leaves;
  }

  /** Whoever does not hear of it keeps its watermark until the next round: that is safe, and costs a round. */
  async #settle(settled: Round): Promise<void> {
    this.#round = settled;
    const verdict = roundVerdict(this.#current());
    if (verdict.type !== 'settle') throw new RoundEnd('void', 'the replica set has changed');
    await this.#tell(verdict.members, 'settled');
    const after = roundVerdict(this.#current());
    if (after.type === 'settle')
      throw new RoundEnd('held-back', `${this.#namesOf(after.members)} did not take the watermark`);
  }

  /** Sends a stage to all, feeds the round, and resolves with the watermarks that were answered. */
  async #tell(members: readonly MemberId[], stage: RoundRequest['stage']): Promise<Watermarks> {
    const { id, epoch } = this.#current();
    const at = { partition: this.#partition, epoch };
    const watermarks = new Map<MemberId, Version>();
    const hear = async (to: MemberId) => {
      const reply = await this.#deps.asker.ask('round', { type: 'round', to, ...at, stage, round: id });
      if (isFailure(reply)) return this.#learn(reply.epoch);
      if (reply.outcome.type === 'refused') return;
      const { floor, watermark } = reply.outcome;
      watermarks.set(to, watermark);
      this.#round = hearRound(this.#current(), { member: to, epoch, round: id, stage, floor, watermark });
    };
    await Promise.all(members.map(hear));
    this.#current();
    return watermarks;
  }

  /** The round, while the partition's epoch is the one that it was begun in. */
  #current(): Round {
    const round = this.#round;
    if (round === undefined) throw new RoundEnd('void', 'the round has not begun');
    const known = learnRoundEpoch(round, this.#deps.routing.viewOf(this.#partition)?.epoch ?? round.epoch);
    this.#round = known;
    if (roundVerdict(known).type === 'void') throw new RoundEnd('void', 'the replica set has changed');
    if (this.#signal.aborted) throw new RoundEnd('void', 'this member is stopping');
    return known;
  }

  #learn(epoch: Epoch | undefined): void {
    if (this.#round !== undefined && epoch !== undefined) this.#round = learnRoundEpoch(this.#round, epoch);
  }

  #owned(epoch: Epoch): OwnedPartition {
    const owned = this.#deps.replica.owned(this.#partition);
    if (owned?.epoch !== epoch)
      throw new RoundEnd('void', 'this member does not serve the partition any more');
    return owned;
  }

  async #askAll<Reply extends { readonly type: string }>(
    members: readonly MemberId[],
    ask: (member: MemberId) => Promise<Reply>,
  ) {
    const replies = await Promise.all(members.map(async (member) => ({ member, reply: await ask(member) })));
    return replies.map(({ member, reply }) => {
      if (isFailure(reply)) throw this.#endOf(member, reply);
      return { member, reply: reply as Exclude<Reply, { readonly type: 'failed' }> };
    });
  }

  #endOf(member: MemberId, { reason }: { readonly reason: string }): RoundEnd {
    return new RoundEnd('held-back', `${this.#namesOf([member])}: ${reason}`);
  }

  #count({ stored, ignored, bytes }: Carried, comparedBytes: number): void {
    this.#totals.keysRepaired += stored;
    this.#totals.keysIgnored += ignored;
    this.#totals.recordBytes += bytes;
    this.#totals.comparedBytes += comparedBytes;
  }

  #namesOf(members: readonly MemberId[]): string {
    return members.map((member) => this.#deps.routing.nameOf(member)).join(', ');
  }
}
