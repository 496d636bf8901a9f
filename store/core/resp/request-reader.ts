import { BulkAssembly } from './bulk-assembly.ts';
import { splitInline } from './inline.ts';
import { readLength } from './line.ts';
import { RequestProtocolError, shown } from './protocol-error.ts';

/** What one request may take; a request that takes more ends the connection. */
export type RequestLimits = {
  /** Of an inline request, and of the head of an array or of a bulk string. Redis has 64 KiB. */
  readonly lineBytesMax: number;
  /** Arguments, the name of the command among them. */
  readonly argumentsMax: number;
  /** Of one argument. */
  readonly argumentBytesMax: number;
  /** Of all arguments together. */
  readonly requestBytesMax: number;
};

/** The name of the command first, then its arguments: bytes that stay good for as long as the chunk that they came in is left alone. */
export type Request = readonly Uint8Array[];

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const NOTHING = new Uint8Array();

/**
 * Cuts a stream of bytes into requests, whatever the chunks are that it comes in: arrays of bulk strings, and inline commands
 * (docs/resp.md; the protocol is the same in RESP2 and RESP3 as far as requests go). An argument that lies in one chunk is not copied.
 * Errors have Redis's texts; after one the reader is of no use.
 */
export class RequestReader {
  /** Holds from the next request on: who has not shown who they are is allowed less. */
  limits: RequestLimits;
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  /** Where the search for the end of a line goes on. */
  #searched = 0;
  #arguments: Uint8Array[] = [];
  /** Arguments of the array that are still to come; 0 between requests. */
  #left = 0;
  #requestBytes = 0;
  /** Of the bulk string that comes next; -1 where its head does. */
  #bulkLength = -1;
  #assembly: BulkAssembly | undefined;

  constructor(limits: RequestLimits) {
    this.limits = limits;
  }

  /** Bytes that are held and make no whole request yet. */
  get heldBytes(): number {
    const ofArguments = this.#requestBytes - Math.max(0, this.#bulkLength);
    return ofArguments + this.#chunk.length - this.#at + (this.#assembly?.length ?? 0);
  }

  /** The bytes after those before. */
  push(chunk: Uint8Array): void {
    const rest = this.#chunk.length - this.#at;
    this.#chunk = rest === 0 ? chunk : joined(this.#chunk.subarray(this.#at), chunk);
    this.#searched = rest === 0 ? 0 : this.#searched - this.#at;
    this.#at = 0;
  }

  /** The next whole request; undefined where more bytes are needed. Throws RequestProtocolError. */
  next(): Request | undefined {
    while (this.#at < this.#chunk.length || this.#left > 0) {
      if (this.#left > 0) return this.#readArguments();
      if (this.#chunk[this.#at] === STAR) {
        if (!this.#beginArray()) return undefined;
      } else {
        const line = this.#takeLine('too big inline request');
        if (line === undefined) return undefined;
        const request = splitInline(line);
        if (request.length > 0) return this.#checkedInline(request);
      }
    }
    return undefined;
  }

  #checkedInline(request: Request): Request {
    if (request.length > this.limits.argumentsMax) throw new RequestProtocolError('invalid multibulk length');
    return request;
  }

  /** False where its head is not whole. An array of nothing is passed over, as Redis does. */
  #beginArray(): boolean {
    const line = this.#takeLine('too big mbulk count string');
    if (line === undefined) return false;
    const count = readLength(line, 1);
    if (count === undefined || count > this.limits.argumentsMax)
      throw new RequestProtocolError('invalid multibulk length');
    this.#arguments = [];
    this.#requestBytes = 0;
    this.#left = Math.max(0, count);
    return true;
  }

  #readArguments(): Request | undefined {
    while (this.#left > 0) {
      if (this.#bulkLength < 0 && !this.#beginBulk()) return undefined;
      const argument = this.#takeBulk();
      if (argument === undefined) return undefined;
      this.#arguments.push(argument);
      this.#bulkLength = -1;
      this.#left -= 1;
    }
    const request = this.#arguments;
    this.#arguments = [];
    this.#requestBytes = 0;
    return request;
  }

  #beginBulk(): boolean {
    if (this.#at >= this.#chunk.length) return false;
    const first = this.#chunk[this.#at] as number;
    if (first !== DOLLAR) throw new RequestProtocolError(`expected '$', got '${shown(first)}'`);
    const line = this.#takeLine('too big bulk count string');
    if (line === undefined) return false;
    const length = readLength(line, 1);
    const { argumentBytesMax, requestBytesMax } = this.limits;
    if (length === undefined || length < 0 || length > argumentBytesMax)
      throw new RequestProtocolError('invalid bulk length');
    this.#requestBytes += length;
    if (this.#requestBytes > requestBytesMax) throw new RequestProtocolError('too big request');
    this.#bulkLength = length;
    return true;
  }

  #takeBulk(): Uint8Array | undefined {
    const length = this.#bulkLength;
    const available = this.#chunk.length - this.#at;
    if (this.#assembly === undefined && available >= length + 2) {
      const argument = this.#chunk.subarray(this.#at, this.#at + length);
      requireEnd(this.#chunk, this.#at + length);
      this.#skipTo(this.#at + length + 2);
      return argument;
    }
    if (available === 0) return undefined;
    this.#assembly ??= new BulkAssembly(length + 2);
    this.#skipTo(this.#at + this.#assembly.take(this.#chunk, this.#at));
    if (!this.#assembly.isWhole) return undefined;
    const whole = this.#assembly.bytes;
    this.#assembly = undefined;
    requireEnd(whole, length);
    return whole.subarray(0, length);
  }

  /** Without its end; undefined where that has not come. */
  #takeLine(tooLong: string): Uint8Array | undefined {
    const end = this.#chunk.indexOf(LF, Math.max(this.#searched, this.#at));
    const length = (end < 0 ? this.#chunk.length : end) - this.#at;
    if (length > this.limits.lineBytesMax) throw new RequestProtocolError(tooLong);
    this.#searched = this.#chunk.length;
    if (end < 0) return undefined;
    const isCr = end > this.#at && this.#chunk[end - 1] === CR;
    const line = this.#chunk.subarray(this.#at, isCr ? end - 1 : end);
    this.#skipTo(end + 1);
    return line;
  }

  #skipTo(at: number): void {
    this.#at = at;
    this.#searched = at;
    if (at < this.#chunk.length) return;
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#searched = 0;
  }
}

function requireEnd(bytes: Uint8Array, at: number): void {
  if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new RequestProtocolError('invalid bulk length');
}

function joined(before: Uint8Array, after: Uint8Array): Uint8Array {
  const all = new Uint8Array(before.length + after.length);
  all.set(before);
  all.set(after, before.length);
  return all;
}
