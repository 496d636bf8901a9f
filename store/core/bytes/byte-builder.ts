const BYTES_MIN = 4096;

/** Bytes put behind each other in memory that is used again. */
export class ByteBuilder {
  #bytes = new Uint8Array(BYTES_MIN);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** How many bytes there is memory for. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Copies `bytes`. */
  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** What was put together, in memory of its own; there is nothing then. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
