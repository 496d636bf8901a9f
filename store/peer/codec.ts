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
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  encodeUndefinedAsNil: true,
  int64AsType: 'number',
  copyBuffers: true,
});

export type PeerBody = Hello | HelloRefusal | PackedMessage | PeerRequest | PeerReply;

export function encodeBody(body: PeerBody): Uint8Array {
  return packr.pack(body);
}

export const decodeHello = (payload: Uint8Array): Hello => decode(helloSchema, payload);
export const decodeHelloRefusal = (payload: Uint8Array): HelloRefusal => decode(helloRefusalSchema, payload);
export const decodeMessage = (payload: Uint8Array): PackedMessage => decode(peerMessageSchema, payload);
export const decodeRequest = (payload: Uint8Array): PeerRequest => decode(peerRequestSchema, payload);
export const decodeReply = (payload: Uint8Array): PeerReply => decode(peerReplySchema, payload);

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
function decode<T>(schema: z.ZodType<T>, payload: Uint8Array): T {
  const parsed = schema.safeParse(unpack(payload));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.slice(0, 8).join('.') || 'the payload';
  throw new ProtocolError(`${path}: ${issue?.message ?? 'not valid'}`.slice(0, 200));
}

/** The library takes the kind of `payload` for the byte arrays in it: not a Buffer, but what the types say. */
function unpack(payload: Uint8Array): unknown {
  checkPayload(payload);
  const plain = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  try {
    return packr.unpack(plain);
  } catch (error) {
    throw new ProtocolError(`not a MessagePack payload: ${(error as Error).message}`.slice(0, 200));
  }
}
