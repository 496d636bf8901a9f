import { toEpoch } from '../core/topology/types.ts';
import { VERSION_BYTES } from '../core/version/version.ts';
import { ProtocolError } from './frame.ts';
import { KEY_BYTES_MAX, PARTITIONS_MAX } from './limits.ts';
import type { ByteReader } from './replica-codec-reader.ts';
import type { ByteWriter } from './replica-codec-writer.ts';
import type { ReplicaRequest, ReplicaRequestBody, StoreOrigin } from './replica-messages.ts';

/** A request as it travels: named for its reply, and with the time that its asker still has. */
export type NumberedRequest = {
  /** u32, unique among what one asker has waiting at one member. */
  readonly id: number;
  readonly remainingMs: number;
  readonly request: ReplicaRequest;
};

const OPERATION = { ask: 1, read: 2, readFull: 3, store: 4 } as const;
/** Position + 1 is the number on the wire. Numbers are never given a second meaning. */
const ORIGINS: readonly StoreOrigin[] = ['write', 'write-back', 'repair', 'hint', 'exchange'];
const HEAD_BYTES = 4 + 4 + 2 + 6 + 4 + 2 + 1;
const STORE_HEAD_BYTES = 1 + 1 + 4;
const U32_MAX = 0xffff_ffff;

/** Exactly what `writeRequest` writes. */
export function requestBytes({ key, body }: ReplicaRequest): number {
  if (body.type !== 'store') return HEAD_BYTES + key.length;
  const watermarkBytes = body.sourceWatermark === undefined ? 0 : VERSION_BYTES;
  return HEAD_BYTES + key.length + STORE_HEAD_BYTES + watermarkBytes + body.record.length;
}

/** Throws RangeError for a key or a partition that no member would take. */
export function writeRequest(
  id: number,
  remainingMs: number,
  request: ReplicaRequest,
  writer: ByteWriter,
): void {
  const { key, partition } = request;
  if (key.length < 1 || key.length > KEY_BYTES_MAX)
    throw new RangeError(`a key of ${key.length} bytes; from 1 to ${KEY_BYTES_MAX} are allowed`);
  if (!(partition >= 0 && partition < PARTITIONS_MAX))
    throw new RangeError(`partition ${partition}; they are below ${PARTITIONS_MAX}`);
  writer.u32(id);
  writer.u32(Math.min(U32_MAX, Math.max(0, Math.ceil(remainingMs))));
  writer.u16(partition);
  writer.u48(request.epoch);
  writer.u32(request.namespaceId);
  writer.u16(key.length);
  writer.bytes(key);
  writeBody(request.body, writer);
}

function writeBody(body: ReplicaRequestBody, writer: ByteWriter): void {
  switch (body.type) {
    case 'ask':
      writer.u8(OPERATION.ask);
      return;
    case 'read':
      writer.u8(body.isFull ? OPERATION.readFull : OPERATION.read);
      return;
    case 'store':
      writer.u8(OPERATION.store);
      writer.u8(ORIGINS.indexOf(body.origin) + 1);
      writer.u8(body.sourceWatermark === undefined ? 0 : 1);
      if (body.sourceWatermark !== undefined) writer.version(body.sourceWatermark);
      writer.u32(body.record.length);
      writer.bytes(body.record);
      return;
  }
}

/** Reads what `writeRequest` wrote. Throws ProtocolError where it is none. */
export function readRequest(to: number, reader: ByteReader): NumberedRequest {
  const id = reader.u32();
  const remainingMs = reader.u32();
  const partition = reader.u16();
  if (partition >= PARTITIONS_MAX)
    throw new ProtocolError(`partition ${partition}; they are below ${PARTITIONS_MAX}`);
  const epoch = toEpoch(reader.u48());
  const namespaceId = reader.u32();
  const keyLength = reader.u16();
  if (keyLength < 1 || keyLength > KEY_BYTES_MAX)
    throw new ProtocolError(`a key of ${keyLength} bytes; from 1 to ${KEY_BYTES_MAX} are allowed`);
  const key = reader.bytes(keyLength);
  const body = readBody(reader);
  return { id, remainingMs, request: { to, partition, epoch, namespaceId, key, body } };
}

const ASK: ReplicaRequestBody = Object.freeze({ type: 'ask' });
const READ: ReplicaRequestBody = Object.freeze({ type: 'read', isFull: false });
const READ_FULL: ReplicaRequestBody = Object.freeze({ type: 'read', isFull: true });

function readBody(reader: ByteReader): ReplicaRequestBody {
  const operation = reader.u8();
  switch (operation) {
    case OPERATION.ask:
      return ASK;
    case OPERATION.read:
      return READ;
    case OPERATION.readFull:
      return READ_FULL;
    case OPERATION.store:
      return readStore(reader);
    default:
      throw new ProtocolError(`replica request of unknown kind ${operation}`);
  }
}

function readStore(reader: ByteReader): ReplicaRequestBody {
  const number = reader.u8();
  const origin = ORIGINS[number - 1];
  if (origin === undefined) throw new ProtocolError(`record of unknown origin ${number}`);
  const sourceWatermark = reader.flag('whether a watermark follows') ? reader.version() : undefined;
  const record = reader.bytes(reader.u32());
  return { type: 'store', origin, record, sourceWatermark };
}
