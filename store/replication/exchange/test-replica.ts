import { compareBytes } from '../../core/bytes/bytes.ts';
import { type EntryHash, hashEntry, hashKey } from '../../core/merkle/entry-hash.ts';
import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import { DEFAULT_SHAPE } from '../../core/merkle/tree-shape.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { KeyAt, LeafEntry } from '../../peer/data-messages.ts';
import type { ReplicaReply, ReplicaReplyBody, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { LeavesQuery, OwnedPartition } from '../types.ts';
import type { ExchangeReplica } from './exchange-options.ts';

export const at = (wallMs: number, counter = 0): Version => ({ wallMs, counter, member: 1 });
const NOTHING: Version = { wallMs: 0, counter: 0, member: 0 };
const higher = (a: Version, b: Version) => (compareVersions(a, b) > 0 ? a : b);

export type TestRecord = {
  readonly key: string;
  readonly version: Version;
  readonly isTombstone: boolean;
  readonly expiresAtMs: number | undefined;
  readonly value: string;
};

export function live(key: string, version: Version, value = 'v'): TestRecord {
  return { key, version, isTombstone: false, expiresAtMs: undefined, value };
}

export function tombstone(key: string, version: Version): TestRecord {
  return { key, version, isTombstone: true, expiresAtMs: undefined, value: '' };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const keyAt = (key: string): KeyAt => ({ namespaceId: 1, key: bytesOf(key) });

/** One partition of one member over a map: durable at once, with the rules of a replica and a real tree. */
export class TestPartition implements OwnedPartition {
  readonly partition: number;
  readonly records = new Map<string, TestRecord>();
  readonly inFlight = new Set<number>();
  epoch: Epoch = toEpoch(1);
  lacksRecords = false;
  floor = NOTHING;
  watermark = NOTHING;
  tree: MerkleTree | undefined = new MerkleTree(DEFAULT_SHAPE);
  floorMaxMs = Number.POSITIVE_INFINITY;
  rebuilds = 0;
  listings = 0;
  onFloor: () => void = () => {};

  constructor(partition: number) {
    this.partition = partition;
  }

  /** As a client's write does, whatever the floor says. */
  put(record: TestRecord): void {
    const before = this.records.get(record.key);
    this.records.set(record.key, record);
    this.#upkeep(record.key, before, record);
  }

  remove(key: string): void {
    const before = this.records.get(key);
    this.records.delete(key);
    this.#upkeep(key, before, undefined);
  }

  isInFlight(leaf: number): boolean {
    return this.inFlight.has(leaf);
  }

  async raiseFloor(floor: Version): Promise<void> {
    if (floor.wallMs > this.floorMaxMs) throw new RangeError('the floor is above the clock');
    this.floor = higher(this.floor, floor);
    this.onFloor();
  }

  async raiseWatermark(watermark: Version): Promise<void> {
    this.floor = higher(this.floor, watermark);
    this.watermark = higher(this.watermark, watermark);
  }

  async listLeaves({ leaves, after, entriesMax }: LeavesQuery) {
    this.listings++;
    const names = [...this.records.keys()].sort((a, b) => compareBytes(bytesOf(a), bytesOf(b)));
    const entries: LeafEntry[] = [];
    for (const name of names) {
      const { version, isTombstone } = this.records.get(name) as TestRecord;
      const place = keyAt(name);
      if (after !== undefined && compareBytes(place.key, after.key) <= 0) continue;
      if (!leaves.has(leafOf(name))) continue;
      if (entries.length === entriesMax) return { entries, done: false };
      entries.push({ ...place, version, isTombstone });
    }
    return { entries, done: true };
  }

  async collect(recordsMax: number): Promise<number> {
    const garbage = [...this.records.values()].filter((record) => isCollectable(record, this.watermark));
    for (const { key } of garbage.slice(0, recordsMax)) this.remove(key);
    return Math.min(garbage.length, recordsMax);
  }

  async hasGarbage(nowMs: number): Promise<boolean> {
    return [...this.records.values()].some(
      ({ isTombstone, expiresAtMs }) => isTombstone || (expiresAtMs ?? Number.POSITIVE_INFINITY) <= nowMs,
    );
  }

  rebuildTree(): void {
    this.rebuilds++;
    this.tree = new MerkleTree(DEFAULT_SHAPE);
    for (const record of this.records.values()) this.#upkeep(record.key, undefined, record);
  }

  async report({ key }: KeyAt) {
    const record = this.records.get(textOf(key));
    return {
      epoch: this.epoch,
      version: record?.version,
      isTombstone: record?.isTombstone ?? false,
      expiresAtMs: record?.expiresAtMs,
      bytes: record?.value.length ?? 0,
      isCorrupt: false,
      floor: this.floor,
      watermark: this.watermark,
      treeState: 'ready' as const,
    };
  }

  serve({ key, body }: ReplicaRequest): ReplicaReplyBody {
    const held = this.records.get(textOf(key));
    if (body.type === 'read') {
      const record = body.isFull && held !== undefined ? bytesOf(JSON.stringify(held)) : undefined;
      const { watermark } = this;
      return { type: 'sight', version: held?.version, watermark, isFull: body.isFull, record };
    }
    if (body.type !== 'store') throw new Error(`the test replica serves no ${body.type}`);
    const offered = JSON.parse(textOf(body.record)) as TestRecord;
    if (held !== undefined && compareVersions(held.version, offered.version) >= 0)
      return { type: 'held', version: held.version };
    const isSealed = compareVersions(offered.version, this.watermark) <= 0;
    const isTrusted = compareVersions(body.sourceWatermark ?? NOTHING, this.watermark) >= 0;
    if (isSealed && !isTrusted) return { type: 'refused', code: 'BELOW_WATERMARK', message: '' };
    this.put(offered);
    return { type: 'held', version: offered.version };
  }

  #upkeep(key: string, before: TestRecord | undefined, after: TestRecord | undefined): void {
    this.tree?.update(hashKey(1, bytesOf(key)), entryHash(before), entryHash(after));
  }
}

export const leafOf = (key: string): number => new MerkleTree(DEFAULT_SHAPE).leafOf(hashKey(1, bytesOf(key)));

function entryHash(record: TestRecord | undefined): EntryHash | undefined {
  return record && hashEntry(hashKey(1, bytesOf(record.key)), record.version, record.isTombstone);
}

function isCollectable({ version, isTombstone, expiresAtMs }: TestRecord, watermark: Version): boolean {
  if (compareVersions(version, watermark) > 0) return false;
  return isTombstone || (expiresAtMs !== undefined && expiresAtMs <= watermark.wallMs);
}

/** One member's share: all partitions. */
export class TestReplica implements ExchangeReplica {
  readonly member: MemberId;
  readonly partitions: readonly TestPartition[];
  outReason: string | undefined;
  /** Bytes of records that were stored by an exchange. */
  storedBytes = 0;
  stores = 0;

  constructor(member: MemberId, partitions: number) {
    this.member = member;
    this.partitions = Array.from({ length: partitions }, (_, partition) => new TestPartition(partition));
  }

  owned(partition: number): TestPartition | undefined {
    return this.outReason === undefined ? this.partitions[partition] : undefined;
  }

  ownedPartitions(): readonly number[] {
    return this.partitions.map(({ partition }) => partition);
  }

  takeOut(reason: string): void {
    this.outReason = reason;
  }

  serve(request: ReplicaRequest): ReplicaReply {
    const owned = this.owned(request.partition);
    const epoch = owned?.epoch ?? toEpoch(0);
    const refuse = (code: 'NOT_OWNER' | 'STALE_EPOCH'): ReplicaReply => {
      return { from: this.member, epoch, body: { type: 'refused', code, message: '' } };
    };
    if (owned === undefined) return refuse('NOT_OWNER');
    if (request.epoch !== owned.epoch) return refuse('STALE_EPOCH');
    if (request.body.type === 'store') {
      this.stores++;
      this.storedBytes += request.body.record.length;
    }
    return { from: this.member, epoch, body: owned.serve(request) };
  }
}
