import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryEngine } from '../sim/memory-engine.ts';
import type { Engine, EngineName } from '../storage/engine.ts';
import type { CommitObserver } from '../storage/group-commit.ts';
import { LeveldbEngine } from './leveldb/leveldb-engine.ts';
import { whyRocksdbIsUnavailable } from './rocksdb/binding.ts';
import { RocksdbEngine, type RocksdbOptions } from './rocksdb/rocksdb-engine.ts';

/** What an engine may take, whichever it is. */
export type EngineOptions = RocksdbOptions & {
  /** The memory engine is full at this many bytes. */
  readonly memoryBytesMax: number;
};

/** Sizes for a node with 512 MiB: caches and memtables together stay below half of it. */
export const ENGINE_DEFAULTS: Omit<EngineOptions, 'location'> = {
  cacheBytes: 64 * 2 ** 20,
  memtableBytes: 64 * 2 ** 20,
  writeGroupBytesMax: 4 * 2 ** 20,
  readGroupKeysMax: 256,
  readGroupBytesMax: 4 * 2 ** 20,
  backgroundThreads: 2,
  memoryBytesMax: 2 ** 30,
};

export type EngineDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly onCommit?: CommitObserver;
};

/** `reason` is for the log: why the engine is not the usual one. */
export type OpenedEngine = { readonly engine: Engine; readonly reason: string | undefined };

/** Engines that keep their data in a folder of their own within the data directory. */
const ON_DISK = ['rocksdb', 'leveldb'] as const;

/**
 * Opens the engine of that name in the folder of that name below `options.location`. `auto` is the one that is there
 * already, else RocksDB where it has a binary, else LevelDB.
 */
export async function openEngine(
  name: EngineName | 'auto',
  options: EngineOptions,
  deps: EngineDeps,
): Promise<OpenedEngine> {
  const existing = ON_DISK.find((each) => existsSync(join(options.location, each)));
  if (name !== 'auto') {
    if (existing !== undefined && existing !== name) throw otherEngine(options.location, existing, name);
    return { engine: await openNamed(name, options, deps), reason: undefined };
  }
  const unavailable = whyRocksdbIsUnavailable();
  const chosen = existing ?? (unavailable === undefined ? 'rocksdb' : 'leveldb');
  const reason =
    existing === undefined && unavailable !== undefined ? `using LevelDB: ${unavailable}` : undefined;
  return { engine: await openNamed(chosen, options, deps), reason };
}

/** Another engine would start empty beside the data, or, as RocksDB does with LevelDB's, convert it for good. */
function otherEngine(location: string, existing: EngineName, wanted: EngineName): Error {
  return new Error(
    `${location} holds a ${existing} store, and storage.engine is ${wanted}; set storage.engine to ${existing}, or export ` +
      'the data and import it into a new directory',
  );
}

async function openNamed(name: EngineName, options: EngineOptions, deps: EngineDeps): Promise<Engine> {
  const within = { ...options, location: join(options.location, name) };
  switch (name) {
    case 'rocksdb':
      return await RocksdbEngine.open(within, deps);
    case 'leveldb':
      return await LeveldbEngine.open(within, deps);
    case 'memory':
      return new MemoryEngine(
        { groupBytesMax: options.writeGroupBytesMax },
        { ...deps, disk: new MemoryDisk({ capacityBytes: options.memoryBytesMax }, deps) },
      );
  }
}
