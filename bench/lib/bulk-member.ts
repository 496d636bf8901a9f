import { DEFAULT_SHAPE } from '../../store/core/merkle/tree-shape.ts';
import { type Move, type Partition, toEpoch, toMoveSession } from '../../store/core/topology/types.ts';
import { ENGINE_DEFAULTS } from '../../store/io/open-engine.ts';
import { RocksdbEngine } from '../../store/io/rocksdb/rocksdb-engine.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { openReplica } from '../../store/replication/replica/replica.ts';
import { OPTIONS, TestTopology } from '../../store/replication/replica/test-replica.ts';
import type { EngineOperation } from '../../store/storage/engine.ts';
import { dataKey } from '../../store/storage/key-layout.ts';
import { createMetaStore } from '../../store/storage/meta-store.ts';
import { encodeRecord } from '../../store/storage/record.ts';

/** A member's replica on RocksDB, and the topology that it follows. */
export type BulkMember = Awaited<ReturnType<typeof openMember>>;

const NO_VERSION = { wallMs: 0, counter: 0, member: 0 };
const SESSION = toMoveSession(6);
const BATCH = 1000;

export async function openMember(self: number, partitions: number, location: string) {
  const engine = await RocksdbEngine.open({ ...ENGINE_DEFAULTS, location }, {});
  const topology = new TestTopology();
  const options = {
    ...{ ...OPTIONS, self, partitions, treeShape: DEFAULT_SHAPE },
    ...{ versionCacheEntriesMax: 100_000, writeBacklogBytesMax: 64 << 20 },
  };
  const replica = await openReplica(options, {
    ...{ engine, clock: systemClock, topology, meta: createMetaStore(engine) },
    space: { admit: () => true, refresh: async () => {} },
    namespaces: { stateOf: () => 'served' },
    versions: { last: () => ({ ...NO_VERSION, wallMs: Date.now() }), observe() {} },
    onCorrupt: () => fail('a record is damaged'),
    onError: fail,
  });
  const close = async (): Promise<void> => {
    await replica.stop();
    await engine.close();
  };
  return { engine, topology, replica, close };
}

function fail(error: unknown): never {
  throw new Error(`the benchmark failed: ${error}`);
}

/** The topology says so of all partitions: `move` 1, 2, 3 to 2, 3, 4, where there is one. */
export function placeAll({ topology }: BulkMember, epoch: number, partitions: number, move?: Move): void {
  const one: Partition = { replicas: [1, 2, 3], epoch: toEpoch(epoch), ...(move && { move }) };
  topology.become(
    epoch,
    Array.from({ length: partitions }, () => one),
  );
}

export const JOINT: Move = { session: SESSION, to: [2, 3, 4], stage: 'joint', entered: [] };

/** Comes to all partitions, of which nothing is there. */
export async function enterAll({ replica }: BulkMember, partitions: number): Promise<void> {
  const promises = { floor: NO_VERSION, watermark: NO_VERSION };
  for (let partition = 0; partition < partitions; partition++)
    if (!(await replica.enter(partition, SESSION, promises))) fail(`partition ${partition} is not entered`);
  await replica.treesBuilt();
}

/** Writes `perPartition` records of `valueBytes` into each partition, past the replica: it has to build its trees again. */
export async function fill(
  { engine }: BulkMember,
  { partitions, perPartition, valueBytes }: Record<'partitions' | 'perPartition' | 'valueBytes', number>,
): Promise<void> {
  const value = Buffer.alloc(valueBytes, 'v');
  const head = { isTombstone: false, expiresAtMs: undefined, contentType: undefined, value };
  const putOf = (partition: number, place: number): EngineOperation => {
    const storedKey = dataKey({ partition, namespaceId: 1, key: Buffer.from(`key-${place + 1e8}`) });
    const version = { wallMs: Date.now(), counter: 0, member: 1 };
    return { type: 'put', key: storedKey, value: encodeRecord(storedKey, { ...head, version }) };
  };
  for (let partition = 0; partition < partitions; partition++)
    for (let from = 0; from < perPartition; from += BATCH) {
      const count = Math.min(BATCH, perPartition - from);
      const batch = Array.from({ length: count }, (_, i) => putOf(partition, from + i));
      await engine.write(batch, { sync: true });
    }
}
