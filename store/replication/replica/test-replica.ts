import { hashKey } from '../../core/merkle/entry-hash.ts';
import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import { type Epoch, type Partition, toEpoch } from '../../core/topology/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type {
  ReplicaReply,
  ReplicaReplyBody,
  ReplicaRequest,
  ReplicaRequestBody,
  StoreOrigin,
} from '../../peer/replica-messages.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { MemoryEngine } from '../../sim/memory-engine.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import { createSimRandom } from '../../sim/sim-random.ts';
import type { Settle } from '../../sim/timeline.ts';
import { dataKey, userKeyOf } from '../../storage/key-layout.ts';
import { createMetaStore } from '../../storage/meta-store.ts';
import type { NamespaceState } from '../../storage/namespaces.ts';
import { encodeRecord } from '../../storage/record.ts';
import { startSpaceGuard } from '../../storage/space-guard.ts';
import { decodeIntact, entryHashOf } from './held.ts';
import { addressOf, partitionRange } from './ranges.ts';
import { type LocalReplica, openReplica } from './replica.ts';
import type { ReplicaDeps, ReplicaOptions } from './replica-options.ts';

export const SELF = 1;
export const START_MS = 1_000_000;
export const SHAPE = { fanOut: 4, depth: 2 };
export const NEVER: AbortSignal = new AbortController().signal;

export const OPTIONS: ReplicaOptions = {
  self: SELF,
  partitions: 2,
  skewMsMax: 500,
  propagationMs: 10_000,
  versionCacheEntriesMax: 8,
  recordCacheBytes: 0,
  writeBacklogBytesMax: 1 << 20,
  corruptRecordsMax: 3,
  treeShape: SHAPE,
  hashSeed: { low: 1, high: 2 },
};

/** A topology that a test sets, with those who wait for it. */
export class TestTopology {
  state: readonly Partition[] = [];
  epoch: Epoch = toEpoch(0);
  readonly #listeners = new Set<() => void>();

  partitions(): readonly Partition[] {
    return this.state;
  }

  set(epoch: number, replicas: readonly (readonly number[])[]): void {
    this.become(
      epoch,
      replicas.map((set) => ({ replicas: set, epoch: toEpoch(epoch) })),
    );
  }

  become(epoch: number, partitions: readonly Partition[]): void {
    this.epoch = toEpoch(epoch);
    this.state = partitions;
    for (const listener of [...this.#listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  waitForEpoch(epoch: Epoch, signal: AbortSignal): Promise<boolean> {
    if (this.epoch >= epoch) return Promise.resolve(true);
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(false), { once: true });
      this.onChange(() => {
        if (this.epoch >= epoch) resolve(true);
      });
    });
  }
}

/** What a test stores: `wallMs` says the version, `value` undefined a tombstone. */
export type TestRecord = {
  readonly wallMs: number;
  readonly counter?: number;
  readonly value?: string | undefined;
  readonly expiresAtMs?: number | undefined;
};

/** A replica on fakes that outlive it. */
export class TestReplica {
  readonly options: ReplicaOptions;
  readonly clock = new SimClock(START_MS);
  readonly topology = new TestTopology();
  readonly disk: MemoryDisk;
  readonly namespaces = new Map<number, NamespaceState>([[1, 'served']]);
  readonly corrupt: string[] = [];
  readonly errors: unknown[] = [];
  last: Version = { wallMs: START_MS, counter: 0, member: SELF };
  replica!: LocalReplica;
  engine!: MemoryEngine;
  #space: { close(): void } | undefined;

  constructor(options: Partial<ReplicaOptions> = {}, seed = 1, capacityBytes = 1 << 24) {
    this.options = { ...OPTIONS, ...options };
    this.disk = new MemoryDisk({ capacityBytes }, { clock: this.clock, random: createSimRandom(seed) });
  }

  static async open(options: Partial<ReplicaOptions> = {}, seed = 1): Promise<TestReplica> {
    const test = new TestReplica(options, seed);
    test.topology.set(
      5,
      Array.from({ length: test.options.partitions }, () => [SELF, 2, 3]),
    );
    await test.start();
    return test;
  }

  async start(): Promise<void> {
    this.engine = new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk: this.disk });
    const { clock, engine } = this;
    const space = await startSpaceGuard(
      { reserveBytes: 1 << 10, checkIntervalMs: 1000 },
      { clock, freeBytes: () => engine.freeBytes() },
    );
    this.#space = space;
    this.replica = await openReplica(this.options, this.#deps(space));
  }

  /** The power fails and comes back: what was not synced is gone. */
  async crash(): Promise<void> {
    this.#space?.close();
    this.disk.crash();
    await this.start();
  }

  async restart(): Promise<void> {
    await this.replica.stop();
    this.#space?.close();
    await this.engine.close();
    await this.start();
  }

  request(body: ReplicaRequestBody, key: string, over: Partial<ReplicaRequest> = {}): ReplicaRequest {
    const partition = over.partition ?? partitionOfTest(key);
    const epoch = this.topology.state[partition]?.epoch ?? toEpoch(0);
    return { to: SELF, partition, epoch, namespaceId: 1, key: bytesOf(key), body, ...over };
  }

  storeRequest(
    key: string,
    record: TestRecord,
    origin: StoreOrigin = 'write',
    sourceWatermark?: Version,
    over: Partial<ReplicaRequest> = {},
  ): ReplicaRequest {
    const at = this.request({ type: 'ask' }, key, over);
    return { ...at, body: { type: 'store', origin, sourceWatermark, record: sealed(at, record) } };
  }

  serve(request: ReplicaRequest, signal = NEVER, isLocal = false): Promise<ReplicaReply> {
    return new Promise((done) => this.replica.answer({ request, signal, isLocal, done }));
  }

  async store(
    key: string,
    record: TestRecord,
    origin: StoreOrigin = 'write',
    source?: Version,
  ): Promise<string> {
    return said((await this.serve(this.storeRequest(key, record, origin, source))).body);
  }

  async ask(key: string): Promise<string> {
    return said((await this.serve(this.request({ type: 'ask' }, key))).body);
  }

  async read(key: string): Promise<string> {
    return said((await this.serve(this.request({ type: 'read', isFull: true }, key))).body);
  }

  owned(partition = 0): NonNullable<ReturnType<LocalReplica['owned']>> {
    const owned = this.replica.owned(partition);
    if (owned === undefined) throw new Error(`partition ${partition} is not owned`);
    return owned;
  }

  /** Damages what is stored under a key. */
  damage(key: string): void {
    if (!this.disk.corrupt(dataKey(this.request({ type: 'ask' }, key)))) throw new Error('nothing to damage');
  }

  /** Lets time pass until `work` is done. */
  async until<T>(work: Promise<T>, settle: Settle): Promise<T> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    void work.then(end, end);
    for (await settle(); !isDone; await settle()) this.clock.advance(1);
    return await work;
  }

  /** Lets the builder of trees come to its end. */
  async trees(settle: Settle): Promise<void> {
    await this.until(this.replica.treesBuilt(), settle);
  }

  /** Intact records on the disk: key and what is told of it. */
  stored(): Map<string, Stored> {
    const found = new Map<string, Stored>();
    for (let partition = 0; partition < this.options.partitions; partition++) {
      const { start, end } = partitionRange(partition);
      for (const { key, value } of this.disk.contents(start, end)) {
        const record = decodeIntact(key, value);
        if (record !== undefined)
          found.set(Buffer.from(userKeyOf(key)).toString(), {
            ...record,
            text: Buffer.from(record.value).toString(),
          });
      }
    }
    return found;
  }

  /** A tree made from nothing but the disk. */
  treeOfDisk(partition: number): MerkleTree {
    const tree = new MerkleTree(this.options.treeShape);
    const { start, end } = partitionRange(partition);
    for (const { key, value } of this.disk.contents(start, end)) {
      const record = decodeIntact(key, value);
      const { namespaceId, key: userKey } = addressOf(key);
      const hash = hashKey(namespaceId, userKey);
      if (record !== undefined) tree.update(hash, undefined, entryHashOf(hash, record));
    }
    return tree;
  }

  #deps(space: ReplicaDeps['space']): ReplicaDeps {
    const { engine, clock, topology } = this;
    return {
      engine,
      clock,
      topology,
      space,
      meta: createMetaStore(engine),
      namespaces: { stateOf: (id) => this.namespaces.get(id) ?? 'unknown' },
      versions: {
        last: () => this.last,
        observe: (version) => {
          if (compareVersions(version, this.last) > 0) this.last = version;
        },
      },
      onCorrupt: (_partition, _namespaceId, key) => this.corrupt.push(Buffer.from(key).toString()),
      onError: (error) => this.errors.push(error),
    };
  }
}

export type Stored = {
  readonly version: Version;
  readonly isTombstone: boolean;
  readonly expiresAtMs: number | undefined;
  readonly text: string;
};

/** Keys of the tests say their partition by their first character: a to m are of 0, the others of 1. */
export function partitionOfTest(key: string): number {
  return key < 'n' ? 0 : 1;
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

export function versionOf(wallMs: number, counter = 0): Version {
  return { wallMs, counter, member: 2 };
}

export function sealed(at: ReplicaRequest, { wallMs, counter, value, expiresAtMs }: TestRecord): Uint8Array {
  return encodeRecord(dataKey(at), {
    version: versionOf(wallMs, counter),
    isTombstone: value === undefined,
    expiresAtMs,
    contentType: undefined,
    value: bytesOf(value ?? ''),
  });
}

/** A reply in a few words: `held 5`, `refused BELOW_FLOOR`, `asked 5`, `seen 5 value`; the number is the version's wallMs. */
export function said(body: ReplicaReplyBody): string {
  switch (body.type) {
    case 'held':
      return `held ${body.version.wallMs}`;
    case 'refused':
      return `refused ${body.code}`;
    case 'versions':
      return `asked ${body.version?.wallMs ?? 'nothing'}`;
    case 'sight':
      return `seen ${body.version?.wallMs ?? 'nothing'}`;
  }
}
