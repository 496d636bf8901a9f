import { ByteBuilder } from '../core/bytes/byte-builder.ts';
import { type Frame, type FrameHeader, ProtocolError } from './frame.ts';
import type { Lane } from './messages.ts';

type Parts = { readonly header: FrameHeader; readonly bytes: ByteBuilder };

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
    const under = parts ?? { header: headerOf(frame), bytes: ByteBuilder.idle() };
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
    return { ...frame, payload: bytes.takeLast() };
  }
}

/** Without the payload, which may be gone once the next frame comes. */
function headerOf({ payload: _, ...header }: Frame): FrameHeader {
  return header;
}
