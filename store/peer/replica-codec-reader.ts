import { readUint16, readUint32 } from '../core/bytes/integers.ts';
import { readVersion, VERSION_BYTES, type Version } from '../core/version/version.ts';
import { ProtocolError } from './frame.ts';

/** Takes values off the front of `bytes`. Throws ProtocolError where they end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // The view of a Buffer would be a Buffer again, in the hands of those who were promised plain bytes.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u16(): number {
    return readUint16(this.#bytes, this.#take(2));
  }

  u32(): number {
    return readUint32(this.#bytes, this.#take(4));
  }

  u48(): number {
    return this.u16() * 2 ** 32 + this.u32();
  }

  version(): Version {
    return readVersion(this.#bytes, this.#take(VERSION_BYTES));
  }

  /** Shares its memory with what is read. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** 0 or 1. */
  flag(what: string): boolean {
    const value = this.u8();
    if (value > 1) throw new ProtocolError(`${what} is ${value}; it is 0 or 1`);
    return value === 1;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new ProtocolError('a replica batch ends before it should');
    this.#at = at + length;
    return at;
  }
}
