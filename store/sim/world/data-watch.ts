import { isOwner, replicaSetsOf } from '../../core/moves/rules.ts';
import { majority } from '../../core/quorum/quorum-sizes.ts';
import { askedSet } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { partitionOf } from '../../core/ring/slot.ts';
import { DEFAULT_NAMESPACE } from '../../core/topology/genesis.ts';
import type { Partition } from '../../core/topology/types.ts';
import { compareVersions, formatVersion, type Version } from '../../core/version/version.ts';
import type { PlainOperation } from '../../storage/engine.ts';
import { dataKey, FAMILY } from '../../storage/key-layout.ts';
import { KeyHistory } from '../checkers/key-history.ts';
import { requirePromises } from '../checkers/move-promises.ts';
import { HistoryClock } from '../checkers/register-operation.ts';
import {
  type Contents,
  findDifference,
  partitionOfKey,
  partitionRange,
  readContents,
  readHeld,
  requireProvenBelow,
} from '../checkers/replica-contents.ts';
import { requireOf } from '../checkers/violation.ts';
import { wallMsAt } from '../node-clock.ts';
import type { Machine } from './machine.ts';
import type { SimWorld } from './world.ts';

const requireDurable = requireOf('what was answered is on a quorum of disks');
const requireBrought = requireOf(
  'what was answered before a transfer is on each member that is asked after it',
);
const requireStill = requireOf('no round ends while its partition moves');
const requireEmpty = requireOf('a partition is empty as it is entered');
const requireKept = requireOf('what was answered is on a quorum of each set that is asked');

type ToBring = { readonly session: number; readonly keys: Map<string, Version> };

/** A version of a key of a partition, as it is now. */
type Answered = {
  readonly key: string;
  readonly version: Version;
  readonly number: number;
  readonly partition: Partition;
};

const NOTHING: Version = { wallMs: 0, counter: 0, member: 0 };

/** Watches the data of one cluster from outside: what its clients are told, and what lies on its disks. */
export class DataWatch {
  readonly #world: SimWorld;
  readonly #clusterId: string;
  readonly #clock: HistoryClock;
  readonly #histories = new Map<string, KeyHistory>();
  /** The newest version of each key that was acknowledged, or read at quorum. */
  readonly #newest = new Map<string, Version>();
  /** By partition: what had been answered of its keys when its transfer began. */
  readonly #toBring = new Map<number, ToBring>();
  /** As of the last look at the topology. */
  #seen: readonly Partition[] = [];

  constructor(world: SimWorld, clusterId: string) {
    this.#world = world;
    this.#clusterId = clusterId;
    this.#clock = new HistoryClock(() => world.timeline.nowMs);
  }

  historyOf(key: string): KeyHistory {
    const known = this.#histories.get(key);
    if (known !== undefined) return known;
    const history = new KeyHistory(key, this.#clock);
    this.#histories.set(key, history);
    return history;
  }

  get keys(): readonly string[] {
    return [...this.#histories.keys()];
  }

  /** `version` of `key` was acknowledged, or read: so many disks hold it or a newer one. */
  answered(key: string, version: Version, level: 'quorum' | 'all'): void {
    const bytes = Buffer.from(key);
    const partition = partitionOf(bytes, this.#partitions.length);
    const replicas = this.#partitions[partition]?.replicas ?? [];
    const namespaceId = this.#state?.namespaces.get(DEFAULT_NAMESPACE)?.id ?? 0;
    const storedKey = dataKey({ partition, namespaceId, key: bytes });
    const newest = this.#newest.get(key);
    if (newest === undefined || compareVersions(version, newest) > 0) this.#newest.set(key, version);
    const needed = level === 'all' ? replicas.length : majority(replicas.length);
    const holding = replicas.filter((member) => {
      const machine = this.#machineOf(member);
      // What a lost disk held nobody knows.
      if (machine === undefined) return true;
      // A replica that is alone collects tombstones at once, without a watermark.
      const isGone = replicas.length === 1 && machine.disk.durableValue(storedKey) === undefined;
      return isGone || holds(machine, partition, storedKey, version);
    });
    requireDurable(
      holding.length >= needed,
      () =>
        `key ${key}: ${formatVersion(version)} was answered, and is on the disks of members ${holding} of ${replicas}`,
    );
  }

  /** The topology may have changed: where a partition did, nothing that was answered is missed by those who ask from now on. */
  observed(): void {
    const partitions = this.#partitions;
    if (partitions === this.#seen) return;
    const before = this.#seen;
    this.#seen = partitions;
    for (const [number, partition] of partitions.entries()) {
      if (partition === before[number]) continue;
      const factOf = (member: MemberId) => this.#machineOf(member)?.facts.byPartition.get(number);
      requirePromises(number, before[number], partition, factOf);
    }
    for (const [key, version] of this.#newest) {
      const number = partitionOf(Buffer.from(key), partitions.length);
      const partition = partitions[number];
      if (partition === undefined || partition.epoch === before[number]?.epoch) continue;
      this.#requireHeldBy('quorum', { key, version, number, partition });
      this.#requireBrought(key, version, number, partition);
    }
  }

  /** All of T have synchronised when reads switch to it, so all hold what had been answered when that began. */
  #requireBrought(key: string, version: Version, number: number, partition: Partition): void {
    const { move } = partition;
    if (move?.stage === 'transfer') {
      const known = this.#toBring.get(number);
      const toBring = known?.session === move.session ? known : { session: move.session, keys: new Map() };
      this.#toBring.set(number, toBring);
      toBring.keys.set(key, version);
    }
    const brought = this.#toBring.get(number);
    const answered = brought?.session === move?.session ? brought?.keys.get(key) : undefined;
    if (move?.stage === 'switch' && answered !== undefined)
      this.#requireHeldBy('all', { key, version: answered, number, partition });
  }

  #requireHeldBy(level: 'quorum' | 'all', { key, version, number, partition }: Answered): void {
    const asked = askedSet(replicaSetsOf(partition));
    const namespaceId = this.#state?.namespaces.get(DEFAULT_NAMESPACE)?.id ?? 0;
    const storedKey = dataKey({ partition: number, namespaceId, key: Buffer.from(key) });
    // A tombstone that one of them has collected was proven to be at all of the set before.
    const members = [...asked, ...partition.replicas];
    if (compareVersions(version, this.#highestWatermark(number, members)) <= 0) return;
    const holding = asked.filter((member) => {
      const machine = this.#machineOf(member);
      return machine === undefined || holds(machine, number, storedKey, version);
    });
    // A replica that was alone collects tombstones at once, without a watermark.
    const isAlone = partition.replicas.length === 1 || asked.length === 1;
    const needed = level === 'all' ? asked.length : majority(asked.length);
    const require = level === 'all' ? requireBrought : requireKept;
    require(isAlone || holding.length >= needed, () =>
      `key ${key}: ${formatVersion(version)} was answered, and is on the disks of members ${holding} of ${asked}, ` +
      `who are asked at epoch ${partition.epoch}, ${partition.move?.stage ?? 'still'}`);
  }

  /** From the moment when the disk of some replica shows a watermark nothing below it differs. */
  written(machine: Machine, batch: readonly PlainOperation[]): void {
    const epochs = new Map([...machine.facts.byPartition].map(([number, { epoch }]) => [number, epoch]));
    const { risen, entered } = machine.facts.written(batch);
    for (const partition of risen) {
      const { replicas, move } = this.#partitions[partition] ?? {};
      const isOfSet = replicas?.includes(machine.log.identity?.member ?? 0) === true;
      requireStill(
        !isOfSet || move === undefined || (epochs.get(partition) ?? 0) < move.session,
        () => `the watermark of partition ${partition} rises at ${machine.name} in session ${move?.session}`,
      );
    }
    for (const partition of entered) {
      const { start, end } = partitionRange(partition);
      const [left] = machine.disk.durableContents(start, end);
      requireEmpty(
        left === undefined,
        () => `${machine.name} enters partition ${partition} with old records`,
      );
    }
    const partitions = new Set([...risen, ...batch.flatMap((operation) => this.#sealedBy(operation))]);
    for (const partition of partitions) {
      const replicas = this.#contentsOf(partition);
      const watermark = this.#watermarkOf(partition);
      if (replicas !== undefined) requireProvenBelow(watermark, partition, replicas);
    }
  }

  /** The partition of a record that is written or removed at or below its watermark. */
  #sealedBy(operation: PlainOperation): readonly number[] {
    if (operation.type === 'delete-range' || operation.key[0] !== FAMILY.data) return [];
    const partition = partitionOfKey(operation.key);
    if (operation.type === 'delete') return [partition];
    const { record } = readHeld(operation.key, operation.value);
    const isSealed = record && compareVersions(record.version, this.#watermarkOf(partition)) <= 0;
    return isSealed ? [partition] : [];
  }

  /** The highest that any of its replicas has. */
  #watermarkOf(partition: number): Version {
    return this.#highestWatermark(partition, this.#partitions[partition]?.replicas ?? []);
  }

  #highestWatermark(partition: number, members: readonly MemberId[]): Version {
    const machines = members.map((member) => this.#machineOf(member));
    return machines.reduce<Version>((highest, machine) => {
      const watermark = machine?.facts.byPartition.get(partition)?.watermark ?? NOTHING;
      return compareVersions(watermark, highest) > 0 ? watermark : highest;
    }, NOTHING);
  }

  /** In words, where some partition's replicas are not equal, or somebody else holds records of it; undefined where all is well. */
  findDifference(): string | undefined {
    for (const [number, partition] of this.#partitions.entries()) {
      const difference =
        findDifference(this.#intactContentsOf(number)) ?? this.#findLeftOver(number, partition);
      if (difference !== undefined) return `partition ${number}, ${difference}`;
    }
    return undefined;
  }

  #findLeftOver(number: number, partition: Partition): string | undefined {
    const { start, end } = partitionRange(number);
    for (const { name, log, disk } of this.#world.votersOf(this.#clusterId)) {
      if (isOwner(partition, log.identity?.member ?? 0)) continue;
      const [left] = disk.durableContents(start, end);
      if (left !== undefined) return `${name} is no replica and holds records of it`;
    }
    return undefined;
  }

  requireLinearizable(): void {
    for (const history of this.#histories.values()) history.requireLinearizable();
  }

  get isPlaced(): boolean {
    return this.#partitions.length > 0;
  }

  get #state() {
    return this.#world.watchOf(this.#clusterId).history.state;
  }

  get #partitions() {
    return this.#state?.partitions ?? [];
  }

  #machineOf(member: number): Machine | undefined {
    return this.#world.votersOf(this.#clusterId).find(({ log }) => log.identity?.member === member);
  }

  /** Of all replicas; undefined where one of them has lost its disk. */
  #contentsOf(partition: number): readonly Contents[] | undefined {
    const contents = this.#intactContentsOf(partition);
    return contents.length === this.#partitions[partition]?.replicas.length ? contents : undefined;
  }

  #intactContentsOf(partition: number): readonly Contents[] {
    const { start, end } = partitionRange(partition);
    const machines = (this.#partitions[partition]?.replicas ?? []).map((member) => this.#machineOf(member));
    return machines.flatMap((machine) => {
      if (machine === undefined) return [];
      const watermark = machine.facts.byPartition.get(partition)?.watermark ?? NOTHING;
      return [readContents(machine.name, watermark, machine.disk.durableContents(start, end))];
    });
  }
}

function holds(machine: Machine, partition: number, storedKey: Uint8Array, version: Version): boolean {
  const stored = machine.disk.durableValue(storedKey);
  const record = stored && readHeld(storedKey, stored).record;
  if (record !== undefined) return compareVersions(record.version, version) >= 0;
  // It may be a tombstone that was collected.
  const watermark = machine.facts.byPartition.get(partition)?.watermark ?? NOTHING;
  return stored !== undefined || compareVersions(watermark, version) >= 0;
}

/** The most that any wall clock has shown so far. */
export class LatestWall {
  readonly #world: SimWorld;
  #latestMs = 0;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  get nowMs(): number {
    this.note();
    return this.#latestMs;
  }

  /** To be called before and after every jump of a clock. */
  note(): void {
    for (const { clock } of this.#world.machines)
      this.#latestMs = Math.max(this.#latestMs, wallMsAt(clock, this.#world.timeline.nowMs));
  }
}
