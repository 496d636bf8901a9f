import { equalBytes } from '../../core/bytes/bytes.ts';
import { HASH_BYTES, writeHash } from '../../core/merkle/entry-hash.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { PartitionAt, RootOf } from '../../peer/data-messages.ts';
import type { OwnedPartition } from '../types.ts';
import type { Background } from './background.ts';
import { Gate } from './background.ts';
import type { Cargo, Carried } from './carry.ts';
import { type Compared, comparePartition } from './compare-partition.ts';
import { type DataAsker, isFailure } from './data-asker.ts';
import type { ExchangeLog } from './exchange-log.ts';
import type { AntiEntropyDeps, AntiEntropyOptions } from './exchange-options.ts';
import { isWalker, sharedPartitions } from './partners.ts';
import type { Problems } from './problems.ts';

export type ExchangerDeps = Pick<AntiEntropyDeps, 'clock' | 'random' | 'routing' | 'replica'> & {
  readonly asker: DataAsker;
  readonly carry: (cargo: Cargo, signal: AbortSignal) => Promise<Carried>;
  readonly background: Background;
  readonly log: ExchangeLog;
  readonly problems: Problems;
};

/** Leaves that are compared where the walk before found leaves without a difference: few, so that one page shows them. */
const BARREN_LEAVES_MAX = 8;

/**
 * Compares this member's replicas with the others', every interval: one request for all roots that it shares with a member;
 * where they differ a walk, and what differs travels. One comparison at a time with each member.
 */
export class Exchanger {
  readonly #options: AntiEntropyOptions;
  readonly #deps: ExchangerDeps;
  readonly #gate: Gate;
  readonly #busy = new Set<MemberId>();
  /** Members that have shown their watermarks since this start. */
  readonly #checked = new Set<MemberId>();
  /** `partition/member` of walks that found leaves without a key that differs. */
  readonly #barren = new Set<string>();

  constructor(options: AntiEntropyOptions, deps: ExchangerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#gate = new Gate({ max: options.limits.walksMax });
  }

  /** The first comparison comes at a random time, so that members that started together do not ask together. */
  start(): void {
    const { background, clock, random } = this.#deps;
    const intervalMs = (): number => this.#options.intervalMs;
    background.repeat('exchange', clock, random.unit() * intervalMs(), intervalMs, async () => this.#tick());
  }

  #tick(): void {
    const { routing, replica, background, log } = this.#deps;
    const shared = sharedPartitions(routing, replica);
    log.keepOnly(
      (partition, member) => shared.get(member)?.some((at) => at.partition === partition) === true,
    );
    for (const [member, partitions] of shared) {
      if (!routing.isUp(member) || this.#busy.has(member) || !this.#isAsker(member)) continue;
      this.#busy.add(member);
      background.run('exchange', async (signal) => {
        try {
          await this.#compareAll(member, partitions, signal);
        } finally {
          this.#busy.delete(member);
        }
      });
    }
  }

  /** Who does not walk asks once after its start: a restored disk shows in the watermarks of the others. */
  #isAsker(member: MemberId): boolean {
    return isWalker(this.#options.self, member) || !this.#checked.has(member);
  }

  async #compareAll(
    member: MemberId,
    partitions: readonly PartitionAt[],
    signal: AbortSignal,
  ): Promise<void> {
    const { rootsPerRequestMax } = this.#options.limits;
    for (let from = 0; from < partitions.length && !signal.aborted; from += rootsPerRequestMax) {
      const asked = partitions.slice(from, from + rootsPerRequestMax);
      if (!(await this.#compareRoots(member, asked, signal))) return;
    }
    this.#checked.add(member);
  }

  /** False where the member did not answer. */
  async #compareRoots(
    member: MemberId,
    asked: readonly PartitionAt[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { asker, log } = this.#deps;
    const before = new Map(
      asked.map(({ partition }) => [partition, this.#deps.replica.owned(partition)?.watermark]),
    );
    const reply = await asker.ask('roots', { type: 'roots', to: member, partitions: asked });
    if (isFailure(reply)) {
      for (const { partition } of asked) this.#note(partition, member, false, reply.reason);
      return false;
    }
    log.count({ comparisons: 1 });
    const differing = reply.roots.filter((root) => this.#judgeRoot(member, root, before.get(root.partition)));
    for (const root of differing) {
      if (signal.aborted) break;
      await this.#gate.run(() => this.#walk(member, root, signal));
    }
    return true;
  }

  /** Whether the partition is to be walked. */
  #judgeRoot(member: MemberId, root: RootOf, watermarkBefore: Version | undefined): boolean {
    const { partition, epoch, state } = root;
    const owned = this.#deps.replica.owned(partition);
    if (owned === undefined || watermarkBefore === undefined) return false;
    if (owned.epoch !== epoch || state === 'refused') return false;
    if (!this.#keepsPromises(member, root, owned.floor, watermarkBefore)) return false;
    if (state !== 'ready' || owned.tree === undefined || !isWalker(this.#options.self, member)) return false;
    const isEqual = equalBytes(rootOf(owned.tree), root.root);
    this.#note(partition, member, isEqual, undefined);
    if (isEqual) this.#barren.delete(`${partition}/${member}`);
    return !isEqual;
  }

  /** Each one's watermark is older than the floor that it is compared with: between the two, a floor only rises. */
  #keepsPromises(member: MemberId, root: RootOf, floor: Version, watermarkBefore: Version): boolean {
    const { partition, floor: theirFloor, watermark: theirWatermark } = root;
    const isKeptHere = compareVersions(floor, theirWatermark) >= 0;
    const isKeptThere = compareVersions(theirFloor, watermarkBefore) >= 0;
    const self = { partition, member: this.#options.self, floor, watermark: theirWatermark };
    const other = { partition, member, floor: theirFloor, watermark: watermarkBefore };
    if (!isKeptHere) this.#deps.problems.promisesLost(self);
    if (!isKeptThere) this.#deps.problems.promisesLost(other);
    return isKeptHere && isKeptThere;
  }

  async #walk(member: MemberId, { partition, epoch, watermark }: RootOf, signal: AbortSignal): Promise<void> {
    const { replica, routing, log } = this.#deps;
    const owned = replica.owned(partition);
    if (owned?.epoch !== epoch || !routing.isUp(member)) return;
    const watermarks = new Map([
      [this.#options.self, owned.watermark],
      [member, watermark],
    ]);
    const name = `${partition}/${member}`;
    const leavesMax = this.#barren.has(name) ? BARREN_LEAVES_MAX : Number.POSITIVE_INFINITY;
    const compared = await comparePartition(
      { ...this.#options, leavesMax },
      this.#deps,
      owned,
      member,
      watermarks,
      signal,
    );
    log.count({ walks: 1 });
    if (isFailure(compared)) return this.#note(partition, member, false, compared.reason);
    log.countCarried(compared.carried);
    log.count({ comparedBytes: compared.comparedBytes });
    this.#noteBarren(name, compared);
    this.#note(partition, member, compared.differing === 0, compared.carried.problem?.reason);
    await this.#deps.problems.lookInto({ partition, epoch }, compared.suspects, watermarks);
  }

  #noteBarren(name: string, { leaves, differing }: Compared): void {
    if (leaves > 0 && differing === 0) this.#barren.add(name);
    else this.#barren.delete(name);
  }

  #note(partition: number, member: MemberId, isEqual: boolean, failure: string | undefined): void {
    const atMs = this.#deps.clock.nowMs();
    this.#deps.log.noteExchange({ partition, member, atMs, isEqual, failure });
  }
}

function rootOf(tree: NonNullable<OwnedPartition['tree']>): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES);
  writeHash(tree.root(), bytes, 0);
  return bytes;
}
