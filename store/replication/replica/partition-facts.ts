import { type Epoch, type MoveSession, toEpoch, toMoveSession } from '../../core/topology/types.ts';
import { compareVersions, formatVersion, parseVersion, type Version } from '../../core/version/version.ts';
import type { Engine } from '../../storage/engine.ts';
import { KvError } from '../../storage/errors.ts';
import { type MetaStore, putMeta } from '../../storage/meta-store.ts';
import type { PartitionState } from './partition-state.ts';

/**
 * What a replica promised of a partition: it serves nothing under an older epoch, accepts no client's write at or below the
 * floor, and may have removed tombstones at or below the watermark. Each only rises. `session`: the move in which it entered the
 * partition the last time; 0 where it has been there from the first placement on.
 */
export type PartitionFact = {
  readonly epoch: Epoch;
  readonly floor: Version;
  readonly watermark: Version;
  readonly session: MoveSession;
};

export const ZERO_VERSION: Version = { wallMs: 0, counter: 0, member: 0 };
export const NO_FACT: PartitionFact = {
  epoch: toEpoch(0),
  floor: ZERO_VERSION,
  watermark: ZERO_VERSION,
  session: toMoveSession(0),
};

const nameOfFact = (partition: number): string => `partition-${partition}`;

/** `damaged`: what was promised is lost. */
export type ReadFact = PartitionFact | 'damaged';

export async function readFacts(meta: MetaStore, partitions: number): Promise<ReadFact[]> {
  return await Promise.all(Array.from({ length: partitions }, (_, partition) => readFact(meta, partition)));
}

async function readFact(meta: MetaStore, partition: number): Promise<ReadFact> {
  try {
    const fact = await meta.read(nameOfFact(partition));
    return fact === undefined ? NO_FACT : factOf(fact as StoredFact);
  } catch (error) {
    if (error instanceof KvError && error.code === 'RECORD_CORRUPT') return 'damaged';
    throw error;
  }
}

type StoredFact = {
  readonly epoch: number;
  readonly floor: string;
  readonly watermark: string;
  /** Absent: 0, as before there were moves. */
  readonly session?: number;
};

function factOf(stored: StoredFact): PartitionFact {
  const floor = parseVersion(stored.floor);
  const watermark = parseVersion(stored.watermark);
  if (floor === undefined || watermark === undefined)
    throw new Error(`a stored fact of a partition is not understood: ${JSON.stringify(stored)}`);
  return { epoch: toEpoch(stored.epoch), floor, watermark, session: toMoveSession(stored.session ?? 0) };
}

/** Makes facts durable; those that change while a write is under way share the next one. */
export class FactKeeper {
  readonly #engine: Engine;
  readonly #dirty = new Set<PartitionState>();
  #next: Promise<void> | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Resolves once what the partition wants now is durable. */
  save(partition: PartitionState): Promise<void> {
    if (covers(partition.durable, partition.wanted)) return Promise.resolve();
    this.#dirty.add(partition);
    this.#next ??= this.#flushAfter(this.#writing);
    return this.#next;
  }

  async #flushAfter(before: Promise<unknown>): Promise<void> {
    await before;
    this.#next = undefined;
    const saved = [...this.#dirty].map((partition) => ({ partition, fact: partition.wanted }));
    this.#dirty.clear();
    const writing = this.#engine.write(saved.map(putFact), { sync: true });
    this.#writing = writing.catch(() => {});
    await writing;
    for (const { partition, fact } of saved) partition.becameDurable(fact);
  }
}

type Saved = { readonly partition: PartitionState; readonly fact: PartitionFact };

function putFact({ partition, fact }: Saved): ReturnType<typeof putMeta> {
  const { epoch, floor, watermark, session } = fact;
  return putMeta(nameOfFact(partition.number), {
    ...{ epoch, floor: formatVersion(floor), watermark: formatVersion(watermark) },
    ...(session === 0 ? {} : { session }),
  });
}

function covers(durable: PartitionFact, wanted: PartitionFact): boolean {
  return (
    durable.epoch >= wanted.epoch &&
    durable.session === wanted.session &&
    compareVersions(durable.floor, wanted.floor) >= 0 &&
    compareVersions(durable.watermark, wanted.watermark) >= 0
  );
}

export function maxVersion(a: Version, b: Version): Version {
  return compareVersions(a, b) >= 0 ? a : b;
}
