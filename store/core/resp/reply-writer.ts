import type { Protocol, Reply } from './reply.ts';

/** A value up to this size is copied beside the others; a larger one is handed on as it is. */
const COPIED_BYTES_MAX = 4096;
const BLOCK_BYTES = 16 * 1024;
const INTEGER = 0x3a;
const BULK = 0x24;
const ARRAY = 0x2a;
const SET = 0x7e;
const MAP = 0x25;
const VERBATIM = 0x3d;
const CR = 0x0d;
const LF = 0x0a;
const UTF8 = new TextEncoder();

/**
 * Replies as bytes, gathered: small ones share a block, large values are pieces of their own and not copied, so that one turn's
 * replies leave in one write.
 */
export class ReplyWriter {
  #pieces: Uint8Array[] = [];
  #block: Uint8Array = new Uint8Array(BLOCK_BYTES);
  #begin = 0;
  #at = 0;
  #bytes = 0;

  /** Bytes written since the last `take`. */
  get bytes(): number {
    return this.#bytes + this.#at - this.#begin;
  }

  /** Everything written since the last time, in order. */
  take(): readonly Uint8Array[] {
    this.#endPiece();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  write(reply: Reply, protocol: Protocol): void {
    const isThree = protocol === 3;
    switch (reply.type) {
      case 'simple':
        this.#line('+', reply.text);
        break;
      case 'error':
        this.#line('-', reply.text);
        break;
      case 'integer':
        this.#number(INTEGER, reply.value);
        break;
      case 'bulk':
        this.#bulk(BULK, '', reply.value);
        break;
      case 'nil':
        this.#line(isThree ? '_' : '$', isThree ? '' : '-1');
        break;
      case 'array':
        this.#items(ARRAY, reply.items, protocol);
        break;
      case 'set':
        this.#items(isThree ? SET : ARRAY, reply.items, protocol);
        break;
      case 'map':
        this.#map(reply.entries, protocol);
        break;
      case 'double':
        if (isThree) this.#line(',', doubleText(reply.value));
        else this.#bulk(BULK, '', doubleText(reply.value));
        break;
      case 'verbatim':
        this.#bulk(isThree ? VERBATIM : BULK, isThree ? 'txt:' : '', reply.text);
        break;
    }
  }

  #map(entries: readonly (readonly [Reply, Reply])[], protocol: Protocol): void {
    if (protocol === 3) this.#number(MAP, entries.length);
    else this.#number(ARRAY, 2 * entries.length);
    for (const [key, value] of entries) {
      this.write(key, protocol);
      this.write(value, protocol);
    }
  }

  #items(mark: number, items: readonly Reply[], protocol: Protocol): void {
    this.#number(mark, items.length);
    for (const item of items) this.write(item, protocol);
  }

  #bulk(mark: number, before: string, value: Uint8Array | string): void {
    const bytes = typeof value === 'string' ? UTF8.encode(before + value) : value;
    this.#number(mark, bytes.length);
    this.#raw(bytes);
    this.#room(2);
    this.#end();
  }

  #number(mark: number, value: number): void {
    const digits = String(value);
    this.#room(3 + digits.length);
    this.#block[this.#at++] = mark;
    for (let i = 0; i < digits.length; i++) this.#block[this.#at++] = digits.charCodeAt(i);
    this.#end();
  }

  /** A line holds no line break, whatever it was made of: one would be taken for the next reply. */
  #line(mark: string, text: string): void {
    const safe = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
    this.#room(3 + 3 * safe.length);
    this.#block[this.#at++] = mark.charCodeAt(0);
    this.#at += UTF8.encodeInto(safe, this.#block.subarray(this.#at)).written;
    this.#end();
  }

  #end(): void {
    this.#block[this.#at++] = CR;
    this.#block[this.#at++] = LF;
  }

  #raw(bytes: Uint8Array): void {
    if (bytes.length > COPIED_BYTES_MAX) {
      this.#endPiece();
      this.#pieces.push(bytes);
      this.#bytes += bytes.length;
      return;
    }
    this.#room(bytes.length);
    this.#block.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Room for `bytes` in one block; what is in the block so far becomes a piece where there is none. */
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#block.length) return;
    this.#endPiece();
    this.#block = new Uint8Array(Math.max(BLOCK_BYTES, bytes));
    this.#begin = 0;
    this.#at = 0;
  }

  #endPiece(): void {
    if (this.#at === this.#begin) return;
    this.#pieces.push(this.#block.subarray(this.#begin, this.#at));
    this.#bytes += this.#at - this.#begin;
    this.#begin = this.#at;
  }
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  return value === Number.NEGATIVE_INFINITY ? '-inf' : String(value);
}
