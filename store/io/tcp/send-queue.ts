import type { FrameKind } from '../../peer/frame.ts';
import { HEADER_BYTES, writeHeader } from '../../peer/frame.ts';
import { PART_BYTES_MAX } from '../../peer/limits.ts';
import type { Lane } from '../../peer/messages.ts';
import { Fifo } from './fifo.ts';

/** What waits to be sent on one link. */
export type Outgoing = {
  readonly kind: FrameKind;
  readonly lane: Lane;
  readonly correlation: number;
  readonly payload: Uint8Array;
  /** Goes behind the payload, as a part of it: what is large and would have to be copied there. */
  readonly tail: Uint8Array;
  /** Some of it was given to the socket. */
  isStarted: boolean;
  /** Not wanted any more: left out, unless it was started. */
  isCancelled: boolean;
};

export function outgoing(
  kind: FrameKind,
  lane: Lane,
  payload: Uint8Array = NOTHING,
  correlation = 0,
  tail: Uint8Array = NOTHING,
): Outgoing {
  return { kind, lane, correlation, payload, tail, isStarted: false, isCancelled: false };
}

const NOTHING = new Uint8Array(0);
/** Payloads up to this are copied behind their header, which is cheaper than two writes. */
const COPIED_BYTES_MAX = 4096;
/** A lane that waits is let through for one part after this many bytes of the lanes before it. */
const PASSED_BYTES_MAX = 16 * PART_BYTES_MAX;

type LaneQueue = { readonly items: Fifo<Outgoing>; sentBytes: number; passedBytes: number };

/**
 * Lanes in their order, each first in first out, cut into parts. A later lane gets one part in sixteen when the
 * earlier ones never pause, so that nothing starves.
 */
export class SendQueue {
  readonly #lanes: readonly LaneQueue[] = [newLane(), newLane(), newLane()];
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(options: { readonly bytesMax: number }) {
    this.#bytesMax = options.bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False where there is no room. One item always fits into an empty queue. */
  add(item: Outgoing): boolean {
    const bytes = sizeOf(item);
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bytesMax) {
      item.isCancelled = true;
      return false;
    }
    this.#bytes += bytes;
    this.#lanes[LANE_PLACES[item.lane]]?.items.push(item);
    return true;
  }

  /** Leaves `item` out, unless it was started. */
  cancel(item: Outgoing): void {
    if (item.isStarted || item.isCancelled) return;
    item.isCancelled = true;
    this.#bytes -= sizeOf(item);
  }

  /** The bytes to write next, or undefined where nothing waits. */
  next(): readonly Uint8Array[] | undefined {
    const lane = this.#choose();
    return lane === undefined ? undefined : this.#nextPart(lane);
  }

  #choose(): LaneQueue | undefined {
    let first: LaneQueue | undefined;
    for (const lane of this.#lanes) {
      this.#skipCancelled(lane);
      if (lane.items.length === 0) continue;
      if (lane.passedBytes >= PASSED_BYTES_MAX) return lane;
      first ??= lane;
    }
    return first;
  }

  #skipCancelled(lane: LaneQueue): void {
    for (let item = lane.items.first; item?.isCancelled; item = lane.items.first) {
      lane.items.shift();
    }
  }

  #nextPart(lane: LaneQueue): readonly Uint8Array[] {
    const item = lane.items.first as Outgoing;
    const start = lane.sentBytes;
    const length = lengthOf(item);
    const end = Math.min(length, start + PART_BYTES_MAX);
    const hasMore = end < length;
    item.isStarted = true;
    lane.sentBytes = hasMore ? end : 0;
    if (!hasMore) {
      lane.items.shift();
      this.#bytes -= sizeOf(item);
    }
    this.#countPassed(lane, end - start + HEADER_BYTES);
    return toBytes(item, start, end, hasMore);
  }

  #countPassed(sent: LaneQueue, bytes: number): void {
    sent.passedBytes = 0;
    for (const later of this.#lanes.slice(this.#lanes.indexOf(sent) + 1)) {
      later.passedBytes = later.items.length === 0 ? 0 : later.passedBytes + bytes;
    }
  }
}

const LANE_PLACES: Readonly<Record<Lane, number>> = { urgent: 0, normal: 1, bulk: 2 };

const newLane = (): LaneQueue => ({ items: new Fifo(), sentBytes: 0, passedBytes: 0 });

/** What an item costs beside its payload: its header, and the memory of what holds it. */
const ITEM_OVERHEAD_BYTES = 128;

type Payload = { readonly payload: Uint8Array; readonly tail?: Uint8Array };

const lengthOf = ({ payload, tail = NOTHING }: Payload): number => payload.length + tail.length;

export const sizeOf = (item: Payload): number => lengthOf(item) + ITEM_OVERHEAD_BYTES;

function toBytes(item: Outgoing, start: number, end: number, hasMore: boolean): readonly Uint8Array[] {
  const length = end - start;
  const isCopied = length <= COPIED_BYTES_MAX;
  const head = Buffer.allocUnsafe(isCopied ? HEADER_BYTES + length : HEADER_BYTES);
  writeHeader({ ...item, hasMore }, length, head);
  const pieces = cut(item, start, end);
  if (!isCopied) return [head, ...pieces];
  let at = HEADER_BYTES;
  for (const piece of pieces) {
    head.set(piece, at);
    at += piece.length;
  }
  return [head];
}

function cut({ payload, tail }: Outgoing, start: number, end: number): readonly Uint8Array[] {
  if (end <= payload.length) return [payload.subarray(start, end)];
  const inTail = tail.subarray(Math.max(0, start - payload.length), end - payload.length);
  return start < payload.length ? [payload.subarray(start), inTail] : [inTail];
}
