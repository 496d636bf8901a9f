const BYTES_MIN = 4096;
const IDLE_MAX = 4;
/** What grew beyond this is left to the collector. */
const KEPT_BYTES_MAX = 4 << 20;
const idle: ByteBuilder[] = [];

/** Bytes put behind each other in memory that is used again. */
export class ByteBuilder {
  #bytes = new Uint8Array(BYTES_MIN);
  #length = 0;

  /**
   * One with the memory of an earlier use, where there is one. V8 takes each large piece of memory that is made and left for a reason to
   * collect all that the node holds, which costs more than to put together a page of the bulk.
   */
  static idle(): ByteBuilder {
    return idle.pop() ?? new ByteBuilder();
  }

  get length(): number {
    return this.#length;
  }

  /** Where they lie until the next ones are put behind them. */
  get memory(): Uint8Array {
    return this.#bytes;
  }

  /** Copies `bytes`. */
  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Room in `memory` for so many more bytes, for the caller to fill; says where it begins. */
  reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) this.#grow(at);
    return at;
  }

  /** What was put together, in memory of its own; there is nothing then. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  /** As `take`; whoever asks for an idle one may get it, and its user must not use it again. */
  takeLast(): Uint8Array<ArrayBuffer> {
    const bytes = this.take();
    if (idle.length < IDLE_MAX && this.#bytes.length <= KEPT_BYTES_MAX) idle.push(this);
    return bytes;
  }

  #grow(kept: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
    larger.set(this.#bytes.subarray(0, kept));
    this.#bytes = larger;
  }
}
