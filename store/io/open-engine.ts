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

/** Opens the engine of that name; `auto` is RocksDB where it has a binary, else LevelDB. */
export async function openEngine(
  name: EngineName | 'auto',
  options: EngineOptions,
  deps: EngineDeps,
): Promise<OpenedEngine> {
  if (name !== 'auto') return { engine: await openNamed(name, options, deps), reason: undefined };
  const unavailable = whyRocksdbIsUnavailable();
  if (unavailable === undefined)
    return { engine: await openNamed('rocksdb', options, deps), reason: undefined };
  return { engine: await openNamed('leveldb', options, deps), reason: `using LevelDB: ${unavailable}` };
}

async function openNamed(name: EngineName, options: EngineOptions, deps: EngineDeps): Promise<Engine> {
  switch (name) {
    case 'rocksdb':
      return await RocksdbEngine.open(options, deps);
    case 'leveldb':
      return await LeveldbEngine.open(options, deps);
    case 'memory':
      return new MemoryEngine(
        { groupBytesMax: options.writeGroupBytesMax },
        { ...deps, disk: new MemoryDisk({ capacityBytes: options.memoryBytesMax }, deps) },
      );
  }
}
