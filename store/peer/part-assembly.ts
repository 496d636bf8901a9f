import { ByteBuilder } from '../core/bytes/byte-builder.ts';
import { type Frame, type FrameHeader, ProtocolError } from './frame.ts';
import type { Lane } from './messages.ts';

type Parts = { readonly header: FrameHeader; readonly bytes: ByteBuilder };

/**
 * Memory in which no payload is under way now. V8 takes each large piece of memory that is made and left for a reason to
 * collect all that the node holds, which costs more than to join the parts of a page of the bulk.
 */
const idle: ByteBuilder[] = [];
const IDLE_MAX = 4;
/** What grew beyond this is given back. */
const KEPT_BYTES_MAX = 4 << 20;

/** Joins payloads that were split. Each lane carries the parts of one payload at a time, in order. */
export class PartAssembly {
  readonly #byLane = new Map<Lane, Parts>();
  readonly #payloadBytesMax: number;

  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** The whole that `frame` completes, or undefined while more is to come; a part is copied. Throws ProtocolError. */
  add(frame: Frame): Frame | undefined {
    const parts = this.#byLane.get(frame.lane);
    if (parts === undefined && !frame.hasMore) return frame;
    const under = parts ?? { header: headerOf(frame), bytes: idle.pop() ?? new ByteBuilder() };
    this.#byLane.set(frame.lane, under);
    const { header, bytes } = under;
    if (header.kind !== frame.kind || header.correlation !== frame.correlation) {
      throw new ProtocolError(`a ${frame.kind} frame inside an unfinished ${header.kind}`);
    }
    if (bytes.length + frame.payload.length > this.#payloadBytesMax) {
      throw new ProtocolError(
        `${frame.kind} of more than ${this.#payloadBytesMax} bytes (peer.frameBytesMax)`,
      );
    }
    if (frame.payload.length === 0) throw new ProtocolError(`an empty part of a ${frame.kind}`);
    bytes.append(frame.payload);
    if (frame.hasMore) return undefined;
    this.#byLane.delete(frame.lane);
    const payload = bytes.take();
    if (idle.length < IDLE_MAX && bytes.capacity <= KEPT_BYTES_MAX) idle.push(bytes);
    return { ...frame, payload };
  }
}

/** Without the payload, which may be gone once the next frame comes. */
function headerOf({ payload: _, ...header }: Frame): FrameHeader {
  return header;
}
