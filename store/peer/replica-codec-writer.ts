import { writeUint16, writeUint32 } from '../core/bytes/integers.ts';
import { VERSION_BYTES, type Version, writeVersion } from '../core/version/version.ts';

const FIRST_BYTES = 4096;
/** A buffer that grew beyond this is given away with its content instead of being kept. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** Up to this a loop is faster than a call into the engine. */
const LOOPED_BYTES_MAX = 24;
const U48_END = 2 ** 48;

/** Puts values behind each other into a buffer that grows, and is used again. Numbers out of range throw RangeError. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  /** Forgets what was written. */
  clear(): void {
    this.#at = 0;
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  u16(value: number): void {
    const at = this.#room(2);
    writeUint16(value, this.#bytes, at);
    this.#at = at + 2;
  }

  u32(value: number): void {
    const at = this.#room(4);
    writeUint32(value, this.#bytes, at);
    this.#at = at + 4;
  }

  u48(value: number): void {
    if (!(value >= 0 && value < U48_END) || !Number.isInteger(value))
      throw new RangeError(`${value} is no whole number from 0 to 2^48 - 1`);
    this.u16(Math.floor(value / 2 ** 32));
    this.u32(value >>> 0);
  }

  version(version: Version): void {
    const at = this.#room(VERSION_BYTES);
    writeVersion(version, this.#bytes, at);
    this.#at = at + VERSION_BYTES;
  }

  bytes(source: Uint8Array): void {
    const at = this.#room(source.length);
    if (source.length > LOOPED_BYTES_MAX) this.#bytes.set(source, at);
    else for (let i = 0; i < source.length; i++) this.#bytes[at + i] = source[i] as number;
    this.#at = at + source.length;
  }

  /** Overwrites two bytes that were written before. */
  patchU16(at: number, value: number): void {
    writeUint16(value, this.#bytes, at);
  }

  /** What was written, in memory that is the caller's; the writer is empty then. */
  take(): Uint8Array {
    const length = this.#at;
    this.#at = 0;
    if (length <= KEPT_BYTES_MAX) return this.#bytes.slice(0, length);
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = new Uint8Array(FIRST_BYTES);
    return taken;
  }

  /** Makes sure that `length` more bytes fit; returns where they go. */
  #room(length: number): number {
    const needed = this.#at + length;
    if (needed > this.#bytes.length) this.#grow(needed);
    return this.#at;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
