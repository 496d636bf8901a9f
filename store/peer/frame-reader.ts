import { type Frame, type FrameHeader, HEADER_BYTES, ProtocolError, readHeader } from './frame.ts';

type Head = FrameHeader & { readonly length: number };

/**
 * Cuts a stream of bytes into frames, whatever the chunks are that it comes in. A frame that lies in one chunk is not
 * copied: its payload is good for as long as whoever gave the chunk leaves that alone. That of a frame of which more is to come
 * (`hasMore`) is good until the next frame is asked for.
 */
export class FrameReader {
  readonly #headBytes = new Uint8Array(HEADER_BYTES);
  #headLength = 0;
  #head: Head | undefined;
  /** The payload under assembly, where it came in several chunks. */
  #payload: Uint8Array | undefined;
  #payloadLength = 0;
  /** For payloads of which more is to come: they are many, and soon copied. */
  #part: Uint8Array | undefined;
  #payloadBytesMax: number;

  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Holds for frames whose header has not been read yet. */
  set payloadBytesMax(bytes: number) {
    this.#payloadBytesMax = bytes;
  }

  /** The frames that `chunk` completes. Throws ProtocolError; the reader is of no use afterwards. */
  *push(chunk: Uint8Array): Generator<Frame, void, void> {
    let offset = 0;
    while (true) {
      if (this.#head === undefined) {
        offset = this.#takeHead(chunk, offset);
        if (this.#head === undefined) return;
      }
      const { length } = this.#head as Head;
      if (this.#payload === undefined && chunk.length - offset >= length) {
        yield this.#finish(chunk.subarray(offset, offset + length));
        offset += length;
        continue;
      }
      offset = this.#takePayload(chunk, offset, length);
      if (this.#payloadLength < length) return;
      yield this.#finish(this.#payload as unknown as Uint8Array);
    }
  }

  #takeHead(chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.length, offset + HEADER_BYTES - this.#headLength);
    this.#headBytes.set(chunk.subarray(offset, end), this.#headLength);
    this.#headLength += end - offset;
    if (this.#headLength === HEADER_BYTES) this.#head = this.#checkedHead();
    return end;
  }

  #checkedHead(): Head {
    const head = readHeader(this.#headBytes);
    if (head.length > this.#payloadBytesMax) {
      throw new ProtocolError(`${head.kind} frame of ${head.length} bytes; at most ${this.#payloadBytesMax}`);
    }
    return head;
  }

  #takePayload(chunk: Uint8Array, offset: number, length: number): number {
    this.#payload ??= this.#head?.hasMore === true ? this.#partOf(length) : new Uint8Array(length);
    const end = Math.min(chunk.length, offset + length - this.#payloadLength);
    this.#payload.set(chunk.subarray(offset, end), this.#payloadLength);
    this.#payloadLength += end - offset;
    return end;
  }

  #partOf(length: number): Uint8Array {
    if (this.#part === undefined || this.#part.length < length) this.#part = new Uint8Array(length);
    return this.#part.subarray(0, length);
  }

  #finish(payload: Uint8Array): Frame {
    const { length: _, ...header } = this.#head as Head;
    this.#head = undefined;
    this.#headLength = 0;
    this.#payload = undefined;
    this.#payloadLength = 0;
    return { ...header, payload };
  }
}
