import type { Snapshot } from '../../core/raft/types.ts';
import type { EngineOperation, EngineView, KeyRange } from '../engine.ts';
import type { RaftKeys } from './raft-keys.ts';
import { DamagedRecord, putChunk, readChunk, type SnapshotPointer } from './raft-records.ts';

/**
 * A snapshot lies in chunks under a generation of its own. Nothing reads them until the pointer names the
 * generation, so that a snapshot that was written half way was never there.
 */

export function pointerTo(
  { index, term, configuration, data }: Snapshot,
  generation: number,
  chunkBytes: number,
): SnapshotPointer {
  return { index, term, configuration, generation, chunkBytes, bytesTotal: data.length };
}

/** One operation for each chunk, made one at a time: together they are twice the snapshot in memory. */
export function* putChunks(
  keys: RaftKeys,
  data: Uint8Array,
  { generation, chunkBytes }: SnapshotPointer,
): Generator<EngineOperation> {
  for (let at = 0, number = 0; at < data.length; at += chunkBytes, number++)
    yield putChunk(keys.chunk(generation, number), data.subarray(at, at + chunkBytes));
}

export const chunksOf = ({ bytesTotal, chunkBytes }: SnapshotPointer): number =>
  Math.ceil(bytesTotal / chunkBytes);

/** The keys of one generation. */
export function generationRange(keys: RaftKeys, generation: number): KeyRange {
  return { start: keys.chunk(generation, 0), end: keys.chunk(generation + 1, 0) };
}

/** The chunks that are not the snapshot's: of older and of half written ones. */
export function strayChunks(keys: RaftKeys, pointer: SnapshotPointer): readonly KeyRange[] {
  return [
    { start: keys.chunks.start, end: keys.chunk(pointer.generation, 0) },
    { start: keys.chunk(pointer.generation, chunksOf(pointer)), end: keys.chunks.end },
  ];
}

/** Throws DamagedRecord where a chunk is missing or damaged. */
export async function readSnapshot(
  view: EngineView,
  keys: RaftKeys,
  pointer: SnapshotPointer,
): Promise<Snapshot> {
  const { index, term, configuration, generation, bytesTotal, chunkBytes } = pointer;
  const data = new Uint8Array(bytesTotal);
  for (let number = 0; number < chunksOf(pointer); number++) {
    const start = keys.chunk(generation, number);
    const range = { start, end: keys.chunk(generation, number + 1) };
    const { entries } = await view.page(range, { entriesMax: 1, bytesMax: chunkBytes });
    const stored = entries[0]?.value;
    if (stored === undefined) throw new DamagedRecord(`chunk ${number} of snapshot ${index} is missing`);
    const chunk = readChunk(start, stored, number);
    const expectedBytes = Math.min(chunkBytes, bytesTotal - number * chunkBytes);
    if (chunk.length !== expectedBytes)
      throw new DamagedRecord(`chunk ${number} of snapshot ${index} has ${chunk.length} bytes`);
    data.set(chunk, number * chunkBytes);
  }
  return { index, term, configuration, data };
}
