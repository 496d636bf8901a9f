import { type Frame, type FrameHeader, ProtocolError } from './frame.ts';
import type { Lane } from './messages.ts';

type Parts = { readonly header: FrameHeader; readonly payloads: Uint8Array[]; bytes: number };

/** Joins payloads that were split; nobody may change those of parts meanwhile. Each lane carries the parts of one payload at a time, in order. */
export class PartAssembly {
  readonly #byLane = new Map<Lane, Parts>();
  readonly #payloadBytesMax: number;

  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** The whole that `frame` completes, or undefined while more is to come. Throws ProtocolError. */
  add(frame: Frame): Frame | undefined {
    const parts = this.#byLane.get(frame.lane);
    if (parts === undefined && !frame.hasMore) return frame;
    const under = parts ?? { header: frame, payloads: [], bytes: 0 };
    if (under.header.kind !== frame.kind || under.header.correlation !== frame.correlation) {
      throw new ProtocolError(`a ${frame.kind} frame inside an unfinished ${under.header.kind}`);
    }
    under.bytes += frame.payload.length;
    if (under.bytes > this.#payloadBytesMax) {
      throw new ProtocolError(
        `${frame.kind} of more than ${this.#payloadBytesMax} bytes (peer.frameBytesMax)`,
      );
    }
    if (frame.payload.length === 0) throw new ProtocolError(`an empty part of a ${frame.kind}`);
    under.payloads.push(frame.payload);
    this.#byLane.set(frame.lane, under);
    if (frame.hasMore) return undefined;
    this.#byLane.delete(frame.lane);
    return { ...frame, payload: join(under) };
  }
}

function join({ payloads, bytes }: Parts): Uint8Array {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const payload of payloads) {
    whole.set(payload, offset);
    offset += payload.length;
  }
  return whole;
}
