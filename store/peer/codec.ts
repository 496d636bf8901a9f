import { Packr } from 'msgpackr/pack';
import type { z } from 'zod';
import { checkPayload } from './check-payload.ts';
import { ProtocolError } from './frame.ts';
import type { Hello, HelloRefusal, PackedMessage, PeerMessage, PeerReply, PeerRequest } from './messages.ts';
import {
  helloRefusalSchema,
  helloSchema,
  peerMessageSchema,
  peerReplySchema,
  peerRequestSchema,
  protocolRangeSchema,
} from './schema.ts';

/**
 * Bodies of frames: MessagePack with plain maps, no records, no extensions. What is decoded is checked against its
 * schema and owns its memory. `msgpackr/pack` is the part of the library without native code.
 */
const OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  encodeUndefinedAsNil: true,
  int64AsType: 'number',
} as const;
const packr = new Packr({ ...OPTIONS, copyBuffers: true });
/** Byte arrays are parts of the payload. */
const sharing = new Packr({ ...OPTIONS, copyBuffers: false });

export type PeerBody = Hello | HelloRefusal | PackedMessage | PeerRequest | PeerReply;

/** Where bodies are packed. The library itself would take four times the memory of a large one, and new memory for each. */
const scratch = Buffer.allocUnsafeSlow(2 << 20);

/** In memory of its own. */
export function encodeBody(body: PeerBody): Uint8Array {
  packr.useBuffer(scratch);
  const packed = packr.pack(body);
  return packed.buffer === scratch.buffer ? Buffer.from(packed) : packed;
}

/**
 * What `encodeBody` would return, in two parts. A page of the bulk is the second as it is: by far the largest body that
 * there is, and copied nowhere.
 */
export function encodeReply(reply: PeerReply): EncodedReply {
  if (reply.type !== 'data' || reply.reply.type !== 'bulk')
    return { payload: encodeBody(reply), tail: NOTHING };
  const { records, ...rest } = reply.reply;
  const withNone = encodeBody({ type: 'data', reply: { ...rest, records: NOTHING } });
  const payload = Buffer.alloc(withNone.length - EMPTY_BIN_BYTES + BIN_32_HEADER_BYTES);
  payload.set(withNone.subarray(0, -EMPTY_BIN_BYTES));
  payload[payload.length - BIN_32_HEADER_BYTES] = BIN_32;
  payload.writeUInt32BE(records.length, payload.length - BIN_32_HEADER_BYTES + 1);
  return { payload, tail: records };
}

/** Sent one behind the other. */
export type EncodedReply = { readonly payload: Uint8Array; readonly tail: Uint8Array };

const NOTHING = new Uint8Array(0);
/** Byte arrays in MessagePack: bin 8 with its length, and bin 32 with its. */
const EMPTY_BIN_BYTES = 2;
const BIN_32 = 0xc6;
const BIN_32_HEADER_BYTES = 5;

export const decodeHello = (payload: Uint8Array): Hello => decode(helloSchema, payload);
export const decodeHelloRefusal = (payload: Uint8Array): HelloRefusal => decode(helloRefusalSchema, payload);
export const decodeMessage = (payload: Uint8Array): PackedMessage => decode(peerMessageSchema, payload);
export const decodeRequest = (payload: Uint8Array): PeerRequest => decode(peerRequestSchema, payload);
/** What it holds shares the memory of a payload that has its memory for itself: pages of the bulk are large. */
export function decodeReply(payload: Uint8Array): PeerReply {
  const isAlone = payload.length === payload.buffer.byteLength;
  return decode(peerReplySchema, payload, isAlone ? sharing : packr);
}

/** The frame that carries `message`. A batch is bytes already, and travels as it is. */
export function frameMessage(message: PeerMessage): {
  readonly kind: 'message' | 'replica';
  readonly payload: Uint8Array;
} {
  if (message.type === 'replica') return { kind: 'replica', payload: message.batch };
  return { kind: 'message', payload: encodeBody(message) };
}

/** The versions that a hello of whatever version speaks, or undefined where it does not say. */
export function decodeProtocolRange(
  payload: Uint8Array,
): { readonly protocolMin: number; readonly protocolMax: number } | undefined {
  try {
    return decode(protocolRangeSchema, payload);
  } catch {
    return undefined;
  }
}

/** Throws ProtocolError, and nothing else, for any bytes. */
function decode<T>(schema: z.ZodType<T>, payload: Uint8Array, by = packr): T {
  const parsed = schema.safeParse(unpack(payload, by));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.slice(0, 8).join('.') || 'the payload';
  throw new ProtocolError(`${path}: ${issue?.message ?? 'not valid'}`.slice(0, 200));
}

/** The library takes the kind of `payload` for the byte arrays in it: not a Buffer, but what the types say. */
function unpack(payload: Uint8Array, by: Packr): unknown {
  checkPayload(payload);
  const plain = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  try {
    return by.unpack(plain);
  } catch (error) {
    throw new ProtocolError(`not a MessagePack payload: ${(error as Error).message}`.slice(0, 200));
  }
}
