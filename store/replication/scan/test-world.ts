import { needed } from '../../core/quorum/quorum-sizes.ts';
import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { partitionOf } from '../../core/ring/slot.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { DataReply, ScanRequest } from '../../peer/data-messages.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { MemoryEngine } from '../../sim/memory-engine.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import type { Settle } from '../../sim/timeline.ts';
import { dataKey, type RecordAddress } from '../../storage/key-layout.ts';
import { decodeRecord, encodeRecord, type StoredRecord } from '../../storage/record.ts';
import type { DataOutcome } from '../types.ts';
import { type ClusterScan, type ClusterScanOptions, createClusterScan } from './cluster-scan.ts';
import { type LocalScanOptions, scanHere } from './local-scan.ts';

export const NAMESPACE = 3;
export const PARTITIONS = 8;
export const at = (wallMs: number, member = 1): Version => ({ wallMs, counter: 0, member });
export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
export const textOf = (value: Uint8Array): string => Buffer.from(value).toString('latin1');

export function record(wallMs: number, value: string | undefined, expiresAtMs?: number): StoredRecord {
  return {
    ...{ version: at(wallMs), isTombstone: value === undefined, expiresAtMs },
    ...{ contentType: value === undefined ? undefined : 'text/x', value: bytes(value ?? '') },
  };
}

const addressOf = (key: string): RecordAddress => ({
  ...{ partition: partitionOf(bytes(key), PARTITIONS), namespaceId: NAMESPACE },
  key: bytes(key),
});

/** One state of the placement: who owns which partition, since when. */
type Placement = readonly { readonly epoch: Epoch; readonly replicas: readonly MemberId[] }[];

/** Members with engines of their own, and a scan by one of them; every member may lag behind the newest placement. */
export class ScanWorld {
  readonly clock = new SimClock(1000);
  readonly engines = new Map<MemberId, MemoryEngine>();
  readonly disks = new Map<MemberId, MemoryDisk>();
  readonly down = new Set<MemberId>();
  /** Members that answer nothing, not even that they are gone. */
  readonly hung = new Set<MemberId>();
  readonly asked: { readonly to: MemberId; readonly request: ScanRequest }[] = [];
  readonly scan: ClusterScan;
  quorumReads = 0;
  localLimits: LocalScanOptions = { entriesMax: 50, bytesMax: 1 << 20, examinedBytesMax: 1 << 20 };
  readonly #placements: Placement[];
  readonly #applied = new Map<MemberId, number>();
  readonly #settle: Settle;

  /** Of the reads of single keys that a scan asked for. */
  readonly readDeadlinesMs: number[] = [];

  constructor(
    settle: Settle,
    members: number,
    sets: readonly (readonly MemberId[])[],
    options: Partial<ClusterScanOptions> = {},
  ) {
    this.#settle = settle;
    for (let member = 1; member <= members; member++) {
      const disk = new MemoryDisk(
        { capacityBytes: 1 << 26 },
        { clock: this.clock, random: { unit: () => 0 } as never },
      );
      this.disks.set(member, disk);
      this.engines.set(member, new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk }));
    }
    this.#placements = [sets.map((replicas) => ({ epoch: toEpoch(1), replicas }))];
    const defaults = { scanPageBytesMax: 1 << 20, scanExaminedMax: 1000, timeoutMs: 2000 };
    this.scan = createClusterScan(
      { ...defaults, ...options },
      {
        clock: this.clock,
        routing: {
          self: 1,
          partitions: PARTITIONS,
          viewOf: (partition) => this.#viewOf(partition),
          isUp: (member) => !this.down.has(member),
          nameOf: (member) => `m-${member}`,
          waitForEpoch: (epoch) => this.#catchUp(1, epoch),
        },
        peers: { request: (request, { timeoutMs }) => this.#request(request, timeoutMs) },
        scanHere: (request) => this.scanAt(1, request),
        notMet: (message) => new Error(message),
        readKey: (_, partition, key, deadlineMs) => {
          this.readDeadlinesMs.push(deadlineMs);
          return this.#readAtQuorum(partition, textOf(key));
        },
      },
    );
  }

  setOf(partition: number): readonly MemberId[] {
    return this.#placements.at(-1)?.[partition]?.replicas ?? [];
  }

  async store(member: MemberId, key: string, stored: StoredRecord): Promise<void> {
    const storedKey = dataKey(addressOf(key));
    const value = encodeRecord(storedKey, stored);
    await this.engines.get(member)?.write([{ type: 'put', key: storedKey, value }], { sync: true });
  }

  async held(member: MemberId, key: string): Promise<StoredRecord | undefined> {
    const storedKey = dataKey(addressOf(key));
    const value = await this.engines.get(member)?.get(storedKey);
    return value && decodeRecord(storedKey, value, bytes(key));
  }

  corrupt(member: MemberId, key: string): boolean {
    return this.disks.get(member)?.corrupt(dataKey(addressOf(key))) ?? false;
  }

  /**
   * The partition gets other replicas, which hold all that was acknowledged. Not all members know of it at once: the
   * scanning one learns by asking.
   */
  async move(partition: number, replicas: readonly MemberId[], keys: readonly string[]): Promise<void> {
    const before = this.#placements.at(-1) as Placement;
    const epoch = toEpoch(this.#placements.length + 1);
    for (const key of keys) {
      if (addressOf(key).partition !== partition) continue;
      const newest = await this.#newestOf(this.setOf(partition), key);
      for (const member of replicas) if (newest !== undefined) await this.store(member, key, newest);
    }
    this.#placements.push(before.map((each, p) => (p === partition ? { epoch, replicas } : each)));
    // Of the replicas before, N-R+1 have confirmed a move before it is done (docs/moves.md): only one may lag, the scanning
    // member. Of the others some do as well.
    const from = before[partition]?.replicas ?? [];
    for (const member of this.engines.keys()) {
      const lags = member === 1 || (!from.includes(member) && (member + epoch) % 3 === 0);
      if (!lags) this.#applied.set(member, this.#placements.length - 1);
    }
  }

  /** The result of `work`, for which virtual time passes. */
  async answer<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    work.then(end, end);
    for (await this.#settle(); !isOver; await this.#settle()) this.clock.advance(5);
    return work;
  }

  async scanAt(member: MemberId, request: ScanRequest): Promise<DataReply> {
    this.asked.push({ to: member, request });
    const engine = this.engines.get(member);
    if (engine === undefined) throw new Error(`there is no member ${member}`);
    return scanHere(request, this.localLimits, {
      engine,
      epochOf: (partition) => {
        const placed = this.#placementOf(member)[partition];
        return placed?.replicas.includes(member) ? placed.epoch : undefined;
      },
      topologyEpochOf: (partition) => this.#placementOf(member)[partition]?.epoch ?? toEpoch(0),
      waitForEpoch: (epoch) => this.#catchUp(member, epoch),
      onCorrupt() {},
    });
  }

  #placementOf(member: MemberId): Placement {
    return this.#placements[this.#applied.get(member) ?? 0] as Placement;
  }

  async #catchUp(member: MemberId, epoch: Epoch): Promise<boolean> {
    const isKnown = epoch <= this.#placements.length;
    if (isKnown) this.#applied.set(member, Math.max(this.#applied.get(member) ?? 0, epoch - 1));
    return isKnown;
  }

  #viewOf(partition: number): PartitionView | undefined {
    const placed = this.#placementOf(1)[partition];
    return placed && { epoch: placed.epoch, sets: { type: 'still', set: placed.replicas } };
  }

  async #request(
    request: { readonly to: MemberId; readonly type: string },
    timeoutMs: number,
  ): Promise<DataOutcome> {
    if (this.hung.has(request.to))
      return new Promise((resolve) => {
        this.clock.setTimer(timeoutMs, () => resolve({ type: 'unreachable', code: 'TIMEOUT' }));
      });
    if (this.down.has(request.to)) return { type: 'unreachable', code: 'UNREACHABLE' };
    if (request.type !== 'scan') throw new Error('no scan');
    return { type: 'reply', reply: await this.scanAt(request.to, request as never) };
  }

  /** As a coordinator reads: the newest of a quorum, held by a quorum before it is answered. */
  async #readAtQuorum(partition: number, key: string): Promise<StoredRecord | undefined> {
    this.quorumReads += 1;
    const set = this.setOf(partition);
    const asked = set.filter((member) => !this.down.has(member) && !this.hung.has(member));
    const quorum = asked.slice(0, needed('quorum', set.length));
    const newest = await this.#newestOf(quorum, key);
    if (newest !== undefined) for (const member of quorum) await this.store(member, key, newest);
    return newest;
  }

  async #newestOf(members: readonly MemberId[], key: string): Promise<StoredRecord | undefined> {
    let newest: StoredRecord | undefined;
    for (const member of members) {
      const each = await this.held(member, key).catch(() => undefined);
      if (each !== undefined && (newest === undefined || compareVersions(each.version, newest.version) > 0))
        newest = each;
    }
    return newest;
  }
}
