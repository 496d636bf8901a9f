import type { KeyState } from './key-state.ts';

export type RecordCacheOptions = { readonly bytesMax: number };

const SEGMENT_BYTES = 1024 * 1024;
/** Longer records are read from the engine: the hop to its thread is little beside what they cost anyway. */
const RECORD_BYTES_MAX = 16 * 1024;

/**
 * The stored records of keys that were read or written last, as bytes in a ring: a read of one of them takes no hop to the
 * engine's thread, which costs more than all the rest of the read at this member. What is used again while it is in the
 * older half of the ring is written once more, so that the ring drops what nobody uses. Bytes in a ring cost the garbage
 * collector nothing, however many records there are.
 *
 * A place is good for the `Held` that it was written for, and for no other: whatever replaces the record, or takes it
 * away, ends it. So what the cache gives is what the engine would, and as durable.
 */
export class RecordCache {
  readonly #segmentsMax: number;
  /** Made when the ring first reaches them. */
  readonly #segments: Uint8Array[] = [];
  /** Bytes that went through the ring: the next place. */
  #head = 0;

  constructor({ bytesMax }: RecordCacheOptions) {
    this.#segmentsMax = Math.floor(bytesMax / SEGMENT_BYTES);
  }

  /** Notes the record that the engine holds for `state.durable`. */
  keep(state: KeyState, stored: Uint8Array): void {
    const { length } = stored;
    if (state.durable === undefined || length > RECORD_BYTES_MAX || this.#segmentsMax === 0) return;
    const at = this.#room(length);
    const segment = this.#segmentOf(at);
    segment.set(stored, at % SEGMENT_BYTES);
    this.#head = at + length;
    state.cachedOf = state.durable;
    state.cachedAt = at;
    state.cachedLength = length;
  }

  /** A copy of the record of `state.durable`, where it is here still. */
  find(state: KeyState): Uint8Array | undefined {
    const { cachedOf, cachedAt, cachedLength, durable } = state;
    if (cachedOf === undefined || cachedOf !== durable || this.#isOverwritten(cachedAt)) return undefined;
    const start = cachedAt % SEGMENT_BYTES;
    const found = Buffer.from(this.#segmentOf(cachedAt).subarray(start, start + cachedLength));
    if (this.#head - cachedAt > (this.#segmentsMax * SEGMENT_BYTES) / 2) this.keep(state, found);
    return found;
  }

  /** Where `length` bytes go next: a record lies in one segment. */
  #room(length: number): number {
    const left = SEGMENT_BYTES - (this.#head % SEGMENT_BYTES);
    return length <= left ? this.#head : this.#head + left;
  }

  /** A segment is given to newer records as a whole. */
  #isOverwritten(at: number): boolean {
    return Math.floor(this.#head / SEGMENT_BYTES) - Math.floor(at / SEGMENT_BYTES) >= this.#segmentsMax;
  }

  #segmentOf(at: number): Uint8Array {
    const place = Math.floor(at / SEGMENT_BYTES) % this.#segmentsMax;
    this.#segments[place] ??= new Uint8Array(SEGMENT_BYTES);
    return this.#segments[place];
  }
}
