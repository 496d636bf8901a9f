import { readUint32, writeUint32 } from '../core/bytes/integers.ts';
import type { Lane } from './messages.ts';

/** The grammar of frames stands in docs/protocol.md: a header of 10 bytes, then a payload of at most 64 KiB. */
export const HEADER_BYTES = 10;

/** Position + 1 is the number on the wire. Numbers are never given a second meaning. */
const KINDS = [
  'hello',
  'hello-refused',
  'message',
  'request',
  'reply',
  'heartbeat',
  'heartbeat-reply',
  'goodbye',
  'replica',
] as const;

export type FrameKind = (typeof KINDS)[number];

const LANES: readonly Lane[] = ['urgent', 'normal', 'bulk'];
const MORE_BIT = 0x80;

export type FrameHeader = {
  readonly kind: FrameKind;
  readonly lane: Lane;
  /** The parts that follow on this lane belong to the same payload. */
  readonly hasMore: boolean;
  /** Ties a reply to its request and an answer to its heartbeat; 0 elsewhere. u32. */
  readonly correlation: number;
};

/** One part of what was sent; most payloads have only one. */
export type Frame = FrameHeader & { readonly payload: Uint8Array };

/** What the other side sent breaks the protocol: its connection ends. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

const kindNumbers = new Map<FrameKind, number>(KINDS.map((kind, place) => [kind, place + 1]));
const laneNumbers = new Map<Lane, number>(LANES.map((lane, place) => [lane, place]));

/** Writes the header of a frame with `length` payload bytes into `target`. */
export function writeHeader(header: FrameHeader, length: number, target: Uint8Array): void {
  writeUint32(length, target, 0);
  target[4] = kindNumbers.get(header.kind) as number;
  target[5] = (laneNumbers.get(header.lane) as number) | (header.hasMore ? MORE_BIT : 0);
  writeUint32(header.correlation, target, 6);
}

/** Reads what `writeHeader` wrote. Throws ProtocolError where it is none. */
export function readHeader(source: Uint8Array): FrameHeader & { readonly length: number } {
  const kind = KINDS[(source[4] as number) - 1];
  if (kind === undefined) throw new ProtocolError(`frame of unknown kind ${source[4]}`);
  const lane = LANES[(source[5] as number) & ~MORE_BIT];
  if (lane === undefined) throw new ProtocolError(`frame on unknown lane ${source[5]}`);
  const hasMore = ((source[5] as number) & MORE_BIT) !== 0;
  return { length: readUint32(source, 0), kind, lane, hasMore, correlation: readUint32(source, 6) };
}
