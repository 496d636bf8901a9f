/** Up to here the memory for a bulk string is taken at once; beyond, it grows with what has really come. */
const TAKEN_AT_ONCE_BYTES_MAX = 1024 * 1024;

/** A bulk string, with the end of its line, that comes in several chunks. A head alone must not take much memory. */
export class BulkAssembly {
  readonly #length: number;
  #bytes: Uint8Array;
  #taken = 0;

  constructor(length: number) {
    this.#length = length;
    this.#bytes = new Uint8Array(Math.min(length, TAKEN_AT_ONCE_BYTES_MAX));
  }

  /** Bytes that have come. */
  get length(): number {
    return this.#taken;
  }

  get isWhole(): boolean {
    return this.#taken === this.#length;
  }

  /** All of them, once it is whole. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Takes from `chunk[from]` on what belongs to it; returns how much that was. */
  take(chunk: Uint8Array, from: number): number {
    const count = Math.min(chunk.length - from, this.#length - this.#taken);
    this.#makeRoomFor(this.#taken + count);
    this.#bytes.set(chunk.subarray(from, from + count), this.#taken);
    this.#taken += count;
    return count;
  }

  #makeRoomFor(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.#length, Math.max(bytes, 2 * this.#bytes.length)));
    larger.set(this.#bytes.subarray(0, this.#taken));
    this.#bytes = larger;
  }
}
