import { z } from 'zod';
import type { LogIndex, MemberId, Position, Term } from '../core/raft/types.ts';
import { LIMITS } from '../core/topology/limits.ts';
import type { Epoch, MoveSession } from '../core/topology/types.ts';
import { ADDRESS_CHARS_MAX, ID_CHARS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX } from './limits.ts';

/** What the schemas of peer messages are made of. Casts give a checked number its brand. */
export const count = z.int().min(0);
export const memberId: z.ZodType<MemberId> = z.int().min(1);
export const term = count as unknown as z.ZodType<Term>;
export const logIndex = count as unknown as z.ZodType<LogIndex>;
export const epoch = count as unknown as z.ZodType<Epoch>;
export const moveSession = count as unknown as z.ZodType<MoveSession>;
export const fraction = z.number().min(0).max(1);
export const byteArray = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'not bytes');

export const id = z.string().max(ID_CHARS_MAX);
export const nodeName = z.string().max(NAME_CHARS_MAX);
export const address = z.string().max(ADDRESS_CHARS_MAX);
export const text = z.string().max(TEXT_CHARS_MAX);
export const clusterId = z.string().regex(/^[0-9a-f]{32}$/, 'not 32 hexadecimal digits');

export const position: z.ZodType<Position> = z.object({ index: logIndex, term });

/** `undefined` travels as nil, and so does a field that an older version does not know. */
export function optional<T>(schema: z.ZodType<T>): z.ZodType<T | undefined> {
  return z.preprocess((value) => value ?? undefined, schema.optional()) as unknown as z.ZodType<
    T | undefined
  >;
}

export const announcement = {
  peerAddress: address,
  httpAddress: address,
  respAddress: address.optional(),
  zone: nodeName,
  version: id,
} as const;
export const succession = { incarnation: count, lives: z.array(id).max(LIMITS.livesMax) } as const;
