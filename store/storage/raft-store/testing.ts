import { createPrng } from '../../core/prng/prng.ts';
import { configurationOf } from '../../core/raft/configuration.ts';
import { type Entry, type PersistedState, type Snapshot, toIndex, toTerm } from '../../core/raft/types.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { MemoryEngine } from '../../sim/memory-engine.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import { createSimRandom } from '../../sim/sim-random.ts';
import type { Engine, EngineEntry, EngineOperation } from '../engine.ts';
import type { LoadedRaft } from './load-raft.ts';
import { raftKeys, TOPOLOGY_GROUP } from './raft-keys.ts';
import { createRaftOperations } from './raft-operations.ts';
import { openRaftStore, RAFT_STORE_DEFAULTS, type RaftStore } from './raft-store.ts';

/** What the tests of the Raft store share. */

/** Small enough for every snapshot of the tests to be several chunks. */
export const CHUNK_BYTES = 100;
export const OPTIONS = { ...RAFT_STORE_DEFAULTS, chunkBytes: CHUNK_BYTES };

export class TestDisk {
  readonly disk: MemoryDisk;
  #engine: MemoryEngine | undefined;

  constructor(seed = 1) {
    const deps = { clock: new SimClock(), random: createSimRandom(seed) };
    this.disk = new MemoryDisk({ capacityBytes: 1 << 30 }, deps);
  }

  get engine(): Engine {
    this.#engine ??= new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk: this.disk });
    return this.#engine;
  }

  open(engine: Engine = this.engine): RaftStore {
    return openRaftStore({ engine }, OPTIONS);
  }

  /** A loaded store with a new log. */
  async create(state: PersistedState): Promise<RaftStore> {
    await this.engine.write(createRaftOperations(state, OPTIONS), { sync: true });
    const store = this.open();
    intactState(await store.load());
    return store;
  }

  /** The power fails and comes back. */
  crash(): void {
    this.disk.crash();
    this.#engine = undefined;
  }

  reopen(): RaftStore {
    this.crash();
    return this.open();
  }
}

export const KEYS = raftKeys(TOPOLOGY_GROUP);

/** Everything that lies under the group's keys. */
export async function recordsOf(engine: Engine): Promise<readonly EngineEntry[]> {
  await using view = engine.openView({ reverse: false });
  const { entries, done } = await view.page(KEYS.all, { entriesMax: 10_000, bytesMax: 1 << 30 });
  if (!done) throw new Error('more records than a test has');
  return entries;
}

/** How many records `state` takes where nothing was left behind. */
export function recordsNeeded({ snapshot, entries }: PersistedState): number {
  return 3 + entries.length + Math.ceil(snapshot.data.length / CHUNK_BYTES);
}

export type RecordedWrite = { readonly batch: readonly EngineOperation[]; readonly sync: boolean };

/** The engine, noting each write in `writes`. */
export function recording(engine: Engine, writes: RecordedWrite[]): Engine {
  return {
    name: engine.name,
    get: (key) => engine.get(key),
    getMany: (keys) => engine.getMany(keys),
    write(batch, { sync }) {
      writes.push({ batch, sync });
      return engine.write(batch, { sync });
    },
    submit(batch, { sync }, onEnd) {
      writes.push({ batch, sync });
      engine.submit(batch, { sync }, onEnd);
    },
    openView: (options) => engine.openView(options),
    readEntries: (range, bytesMax) => engine.readEntries(range, bytesMax),
    freeBytes: () => engine.freeBytes(),
    close: () => engine.close(),
  };
}

export function intactState(loaded: LoadedRaft): PersistedState {
  if (loaded.type !== 'intact') throw new Error(`not intact: ${JSON.stringify(loaded)}`);
  return loaded.state;
}

export function command(index: number, term: number, bytes: number): Entry {
  return { type: 'command', index: toIndex(index), term: toTerm(term), data: bytesOf(index, bytes) };
}

export function snapshotAt(index: number, term: number, bytes: number): Snapshot {
  const position = { index: toIndex(index), term: toTerm(term) };
  return { ...position, configuration: configurationOf([1, 2, 3]), data: bytesOf(index, bytes) };
}

function bytesOf(seed: number, length: number): Uint8Array {
  const prng = createPrng(seed);
  return Uint8Array.from({ length }, () => prng.below(256));
}
