import { DEFAULT_SHAPE } from '../../store/core/merkle/tree-shape.ts';
import { type Partition, toEpoch } from '../../store/core/topology/types.ts';
import { ENGINE_DEFAULTS, openEngine } from '../../store/io/open-engine.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { systemRandom } from '../../store/io/system-random.ts';
import type { ReplicaReply, ReplicaRequest } from '../../store/peer/replica-messages.ts';
import { PartitionTree } from '../../store/replication/replica/partition-tree.ts';
import { type LocalReplica, openReplica } from '../../store/replication/replica/replica.ts';
import { dataKey } from '../../store/storage/key-layout.ts';
import { createMetaStore } from '../../store/storage/meta-store.ts';
import { encodeRecord } from '../../store/storage/record.ts';

export type UpkeepOptions = {
  readonly directory: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly inFlight: number;
  readonly keys: number;
};

/** Writes a second, and microseconds of the processor for each of them. */
export type UpkeepSample = { readonly perSecond: number; readonly cpuUs: number };
export type UpkeepPair = { readonly on: UpkeepSample; readonly off: UpkeepSample };

const PARTITIONS = 256;
const EPOCH = toEpoch(1);
const VALUE = new Uint8Array(256).fill(120);
const NEVER = new AbortController().signal;

/**
 * Stores on one real replica in this process, with its trees and with trees whose update does nothing, in turns. The part
 * that can't be switched off here, a key's hash and its leaf, belongs to the table of keys too and stays.
 */
export async function measureUpkeep(options: UpkeepOptions): Promise<readonly UpkeepPair[]> {
  const engineOptions = { ...ENGINE_DEFAULTS, location: options.directory };
  const deps = { clock: systemClock, random: systemRandom };
  const { engine } = await openEngine('rocksdb', engineOptions, deps);
  const replica = await openReplica(
    {
      ...{ self: 1, partitions: PARTITIONS, skewMsMax: 500, propagationMs: 10_000, corruptRecordsMax: 100 },
      ...{
        versionCacheEntriesMax: 65_536,
        recordCacheBytes: 0,
        writeBacklogBytesMax: 64 << 20,
        treeShape: DEFAULT_SHAPE,
        hashSeed: { low: 1, high: 2 },
      },
    },
    {
      ...{ engine, meta: createMetaStore(engine), clock: systemClock },
      space: { admit: () => true, refresh: async () => {} },
      namespaces: { stateOf: () => 'served' },
      versions: { last: () => ({ wallMs: 0, counter: 0, member: 1 }), observe: () => {} },
      topology: {
        partitions: () => OWNED,
        waitForEpoch: async () => true,
        onChange: () => () => {},
      },
      ...{ onCorrupt: fail, onError: fail },
    },
  );
  await replica.treesBuilt();
  const load = new Load(replica, options);
  await load.run(true, options.seconds);
  const pairs: UpkeepPair[] = [];
  for (let i = 0; i < options.rounds; i++) {
    const first = await load.run(i % 2 === 0, options.seconds);
    const second = await load.run(i % 2 !== 0, options.seconds);
    pairs.push(i % 2 === 0 ? { on: first, off: second } : { on: second, off: first });
  }
  await engine.close();
  return pairs;
}

const OWNED: readonly Partition[] = Array.from({ length: PARTITIONS }, () => ({
  replicas: [1, 2, 3],
  epoch: EPOCH,
}));

function fail(...what: readonly unknown[]): never {
  throw new Error(`the replica reports ${what.join(' ')}`);
}

type KeyOfPartition = { readonly partition: number; readonly key: Uint8Array };

const update = PartitionTree.prototype.update;

class Load {
  readonly #replica: LocalReplica;
  readonly #options: UpkeepOptions;
  readonly #keys: readonly KeyOfPartition[];
  #next = 0;
  #counter = 0;

  constructor(replica: LocalReplica, options: UpkeepOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#keys = Array.from({ length: options.keys }, (_, i) => ({
      partition: (i * 7919) % PARTITIONS,
      key: Buffer.from(`key-${i}`),
    }));
  }

  async run(isKept: boolean, seconds: number): Promise<UpkeepSample> {
    PartitionTree.prototype.update = isKept ? update : () => {};
    const startMs = performance.now();
    const cpuStart = process.threadCpuUsage();
    const endMs = startMs + seconds * 1000;
    let stored = 0;
    const loop = async (): Promise<void> => {
      for (; performance.now() < endMs; stored++) {
        const reply = await new Promise<ReplicaReply>((done) =>
          this.#replica.answer({ request: this.#request(), signal: NEVER, isLocal: false, done }),
        );
        if (reply.body.type !== 'held') throw new Error(`a store was answered ${JSON.stringify(reply.body)}`);
      }
    };
    await Promise.all(Array.from({ length: this.#options.inFlight }, loop));
    const cpu = process.threadCpuUsage(cpuStart);
    PartitionTree.prototype.update = update;
    return {
      perSecond: stored / ((performance.now() - startMs) / 1000),
      cpuUs: (cpu.user + cpu.system) / stored,
    };
  }

  #request(): ReplicaRequest {
    const at = this.#keys[this.#next++ % this.#keys.length] as KeyOfPartition;
    const place = { ...at, namespaceId: 1 };
    const version = { wallMs: Date.now(), counter: this.#counter++ % 65_536, member: 2 };
    const written = {
      version,
      isTombstone: false,
      expiresAtMs: undefined,
      contentType: undefined,
      value: VALUE,
    };
    const record = encodeRecord(dataKey(place), written);
    const body = { type: 'store', origin: 'write', record, sourceWatermark: undefined } as const;
    return { to: 1, epoch: EPOCH, ...place, body };
  }
}
