import type { MemberId } from '../core/raft/types.ts';
import { ProtocolError } from './frame.ts';
import { BATCH_OPERATIONS_MAX } from './limits.ts';
import { ByteReader } from './replica-codec-reader.ts';
import { type NumberedReply, readReply, replyBytesMax, writeReply } from './replica-codec-reply.ts';
import { type NumberedRequest, readRequest, requestBytes, writeRequest } from './replica-codec-request.ts';
import { ByteWriter } from './replica-codec-writer.ts';
import type { ReplicaReply, ReplicaRequest } from './replica-messages.ts';

/**
 * Requests for keys, or their replies, as they share a frame; the grammar stands in docs/protocol.md. Keys and records of
 * a decoded batch lie in the memory of the batch: who keeps them for long copies them.
 */
export type ReplicaBatch =
  | {
      readonly type: 'requests';
      /** Drawn by the asker at its start, and said again in the replies: a reply to an earlier life is none. */
      readonly session: number;
      readonly to: MemberId;
      readonly items: readonly NumberedRequest[];
    }
  | {
      readonly type: 'replies';
      readonly session: number;
      readonly from: MemberId;
      readonly items: readonly NumberedReply[];
    };

const KIND = { requests: 1, replies: 2 } as const;
const COUNT_AT = 1 + 6 + 4;
/** Bytes of a batch beside its items. */
export const BATCH_HEAD_BYTES = COUNT_AT + 2;

export type BatchHead = {
  readonly type: ReplicaBatch['type'];
  /** u48. */
  readonly session: number;
  /** Whom the requests are for, or whom the replies are from. */
  readonly member: MemberId;
};

/** Makes one batch after another, in a buffer that is used again. A batch holds what fits into `bytesMax`, at least one. */
export class BatchWriter {
  readonly #writer = new ByteWriter();
  readonly #bytesMax: number;
  #count = 0;

  constructor(options: { readonly bytesMax: number }) {
    this.#bytesMax = options.bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  begin({ type, session, member }: BatchHead): void {
    this.#count = 0;
    this.#writer.clear();
    this.#writer.u8(KIND[type]);
    this.#writer.u48(session);
    this.#writer.u32(member);
    this.#writer.u16(0);
  }

  /** False where the batch is full: take it, and begin the next one. */
  addRequest(id: number, remainingMs: number, request: ReplicaRequest): boolean {
    if (!this.#hasRoom(requestBytes(request))) return false;
    writeRequest(id, remainingMs, request, this.#writer);
    this.#count += 1;
    return true;
  }

  /** False where the batch is full: take it, and begin the next one. */
  addReply(id: number, reply: ReplicaReply): boolean {
    if (!this.#hasRoom(replyBytesMax(reply))) return false;
    writeReply(id, reply, this.#writer);
    this.#count += 1;
    return true;
  }

  take(): Uint8Array {
    this.#writer.patchU16(COUNT_AT, this.#count);
    this.#count = 0;
    return this.#writer.take();
  }

  #hasRoom(bytes: number): boolean {
    if (this.#count === 0) return true;
    return this.#count < BATCH_OPERATIONS_MAX && this.#writer.length + bytes <= this.#bytesMax;
  }
}

/** Throws ProtocolError, and nothing else, for any bytes that are no batch. */
export function decodeBatch(batch: Uint8Array): ReplicaBatch {
  const reader = new ByteReader(batch);
  const kind = reader.u8();
  const session = reader.u48();
  const member = reader.u32();
  if (member < 1) throw new ProtocolError('a replica batch of member 0; they begin at 1');
  const count = reader.u16();
  if (count < 1 || count > BATCH_OPERATIONS_MAX)
    throw new ProtocolError(`a replica batch of ${count}; from 1 to ${BATCH_OPERATIONS_MAX} are allowed`);
  switch (kind) {
    case KIND.requests:
      return { type: 'requests', session, to: member, items: readItems(member, count, reader, readRequest) };
    case KIND.replies:
      return { type: 'replies', session, from: member, items: readItems(member, count, reader, readReply) };
    default:
      throw new ProtocolError(`replica batch of unknown kind ${kind}`);
  }
}

function readItems<T>(
  member: MemberId,
  count: number,
  reader: ByteReader,
  readItem: (member: MemberId, reader: ByteReader) => T,
): readonly T[] {
  const items: T[] = [];
  while (items.length < count) items.push(readItem(member, reader));
  if (reader.left > 0) throw new ProtocolError(`${reader.left} bytes after the end of a replica batch`);
  return items;
}
