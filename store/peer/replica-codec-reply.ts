import { toEpoch } from '../core/topology/types.ts';
import { VERSION_BYTES } from '../core/version/version.ts';
import { ProtocolError } from './frame.ts';
import { TEXT_CHARS_MAX } from './limits.ts';
import type { ByteReader } from './replica-codec-reader.ts';
import type { ByteWriter } from './replica-codec-writer.ts';
import type { ReplicaRefusalCode, ReplicaReply, ReplicaReplyBody } from './replica-messages.ts';

/** A reply as it travels, by the number of its request. */
export type NumberedReply = { readonly id: number; readonly reply: ReplicaReply };

const KIND = { versions: 1, sight: 2, held: 3, refused: 4 } as const;
const HAS_VERSION = 1;
const IS_FULL = 2;
/** Position + 1 is the number on the wire. Numbers are never given a second meaning. */
const REFUSALS = [
  'STALE_EPOCH',
  'EPOCH_UNKNOWN',
  'NOT_OWNER',
  'WRONG_MEMBER',
  'CLOCK_SKEW',
  'BELOW_FLOOR',
  'BELOW_WATERMARK',
  'NAMESPACE_NOT_FOUND',
  'RECORD_CORRUPT',
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'OVERLOADED',
  'REPLICA_OUT',
  'STOPPING',
] as const satisfies readonly ReplicaRefusalCode[];
/** Fails to compile where a code has no number. */
const refusalNumbers: Readonly<Record<ReplicaRefusalCode, number>> = Object.fromEntries(
  REFUSALS.map((code, place) => [code, place + 1]),
) as Record<(typeof REFUSALS)[number], number>;

const HEAD_BYTES = 4 + 6 + 1;
const MESSAGE_BYTES_MAX = 4 * TEXT_CHARS_MAX;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What `writeReply` writes at most; exactly that but for the text of a refusal. */
export function replyBytesMax({ body }: ReplicaReply): number {
  switch (body.type) {
    case 'versions':
      return HEAD_BYTES + 1 + 4 * VERSION_BYTES + 6;
    case 'sight':
      return HEAD_BYTES + 1 + 2 * VERSION_BYTES + 4 + (body.record?.length ?? 0);
    case 'held':
      return HEAD_BYTES + VERSION_BYTES;
    case 'refused':
      return HEAD_BYTES + 1 + 2 + Math.min(MESSAGE_BYTES_MAX, 3 * body.message.length);
  }
}

/** Throws RangeError for a sight with a record that its type does not allow, or without one that it wants. */
export function writeReply(id: number, { epoch, body }: ReplicaReply, writer: ByteWriter): void {
  writer.u32(id);
  writer.u48(epoch);
  writer.u8(KIND[body.type]);
  switch (body.type) {
    case 'versions':
      writeVersions(body, writer);
      return;
    case 'sight':
      writeSight(body, writer);
      return;
    case 'held':
      writer.version(body.version);
      return;
    case 'refused':
      writeRefusal(body, writer);
      return;
  }
}

type Body<Type extends ReplicaReplyBody['type']> = Extract<ReplicaReplyBody, { readonly type: Type }>;

function writeVersions(body: Body<'versions'>, writer: ByteWriter): void {
  writer.u8(body.version === undefined ? 0 : HAS_VERSION);
  if (body.version !== undefined) writer.version(body.version);
  writer.version(body.floor);
  writer.version(body.watermark);
  writer.version(body.clock);
  writer.u48(Math.floor(body.nowMs));
}

function writeSight({ version, watermark, isFull, record }: Body<'sight'>, writer: ByteWriter): void {
  if ((record !== undefined) !== (isFull && version !== undefined))
    throw new RangeError('a sight has a record where it is full and has a version, and nowhere else');
  writer.u8((version === undefined ? 0 : HAS_VERSION) + (isFull ? IS_FULL : 0));
  writer.version(watermark);
  if (version !== undefined) writer.version(version);
  if (record === undefined) return;
  writer.u32(record.length);
  writer.bytes(record);
}

function writeRefusal({ code, message }: Body<'refused'>, writer: ByteWriter): void {
  const text = encoder.encode(message.slice(0, TEXT_CHARS_MAX));
  writer.u8(refusalNumbers[code]);
  writer.u16(text.length);
  writer.bytes(text);
}

/** Reads what `writeReply` wrote. Throws ProtocolError where it is none. */
export function readReply(from: number, reader: ByteReader): NumberedReply {
  const id = reader.u32();
  const epoch = toEpoch(reader.u48());
  return { id, reply: { from, epoch, body: readBody(reader) } };
}

function readBody(reader: ByteReader): ReplicaReplyBody {
  const kind = reader.u8();
  switch (kind) {
    case KIND.versions:
      return readVersions(reader);
    case KIND.sight:
      return readSight(reader);
    case KIND.held:
      return { type: 'held', version: reader.version() };
    case KIND.refused:
      return readRefusal(reader);
    default:
      throw new ProtocolError(`replica reply of unknown kind ${kind}`);
  }
}

function readVersions(reader: ByteReader): ReplicaReplyBody {
  const version = reader.flag('whether a version follows') ? reader.version() : undefined;
  const floor = reader.version();
  const watermark = reader.version();
  const clock = reader.version();
  return { type: 'versions', version, floor, watermark, clock, nowMs: reader.u48() };
}

function readSight(reader: ByteReader): ReplicaReplyBody {
  const marks = reader.u8();
  if (marks > (HAS_VERSION | IS_FULL)) throw new ProtocolError(`a sight with unknown marks ${marks}`);
  const isFull = (marks & IS_FULL) !== 0;
  const watermark = reader.version();
  const version = (marks & HAS_VERSION) === 0 ? undefined : reader.version();
  const record = isFull && version !== undefined ? reader.bytes(reader.u32()) : undefined;
  return { type: 'sight', version, watermark, isFull, record };
}

function readRefusal(reader: ByteReader): ReplicaReplyBody {
  const number = reader.u8();
  const code = REFUSALS[number - 1];
  if (code === undefined) throw new ProtocolError(`refusal with unknown code ${number}`);
  return { type: 'refused', code, message: readText(reader) };
}

function readText(reader: ByteReader): string {
  const length = reader.u16();
  if (length > MESSAGE_BYTES_MAX)
    throw new ProtocolError(`a text of ${length} bytes; at most ${MESSAGE_BYTES_MAX}`);
  let text: string;
  try {
    text = decoder.decode(reader.bytes(length));
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError('a text that is no UTF-8');
  }
  if (text.length > TEXT_CHARS_MAX)
    throw new ProtocolError(`a text of ${text.length} characters; at most ${TEXT_CHARS_MAX}`);
  return text;
}
