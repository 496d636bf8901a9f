import { crc32 } from 'node:zlib';
import type { Version } from '../../core/version/version.ts';
import { KvError } from '../../storage/errors.ts';
import type { WriteResult } from '../../storage/kv-store.ts';
import type { StoredRecord } from '../../storage/record.ts';

/** What a write with an idempotency key has come to. */
type Memory = {
  readonly digest: string;
  state:
    | { readonly type: 'running'; readonly result: Promise<WriteResult> }
    | { readonly type: 'done'; readonly result: WriteResult }
    /** Its outcome is unknown: a retry goes on with the stamp, or, where there is none yet, begins anew. */
    | ({ readonly type: 'unknown' } & Stamp);
};

/** All that a write needs beside the request to be the same record again. */
export type Stamp = { readonly version: Version; readonly expiresAtMs: number | undefined };

/** How an attempt ended, as far as a retry must know. */
export type Attempted =
  | { readonly type: 'done'; readonly result: WriteResult }
  | { readonly type: 'failed'; readonly error: Error; readonly stamp: Stamp | undefined };

/** Writes with an idempotency key, the least recently used forgotten first. */
export class IdempotencyKeys {
  readonly #keysMax: number;
  readonly #memories = new Map<string, Memory>();

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  /**
   * Runs `write` unless it was run before: a retry joins the one under way, gets the result of the one that is done, and goes
   * on with the stamp of the one whose outcome is unknown: what was written must not be written twice (regression C1).
   * Throws KvError IDEMPOTENCY_MISMATCH where the key belongs to another request.
   */
  once(
    name: string,
    digest: string,
    write: (stamp: Stamp | undefined) => Promise<Attempted>,
  ): Promise<WriteResult> {
    const known = this.#memories.get(name);
    if (known === undefined) return this.#run(name, digest, undefined, write);
    if (known.digest !== digest) throw mismatch();
    this.#memories.delete(name);
    this.#memories.set(name, known);
    switch (known.state.type) {
      case 'running':
        return known.state.result;
      case 'done':
        return Promise.resolve(known.state.result);
      case 'unknown':
        return this.#run(name, digest, known.state, write);
    }
  }

  #run(
    name: string,
    digest: string,
    stamp: Stamp | undefined,
    write: (stamp: Stamp | undefined) => Promise<Attempted>,
  ): Promise<WriteResult> {
    const result = write(stamp).then(
      (attempted) => this.#settle(name, memory, attempted),
      (error: Error) => this.#settle(name, memory, { type: 'failed', error, stamp }),
    );
    const memory: Memory = { digest, state: { type: 'running', result } };
    this.#remember(name, memory);
    return result;
  }

  #settle(name: string, memory: Memory, attempted: Attempted): WriteResult {
    if (attempted.type === 'done') {
      memory.state = { type: 'done', result: attempted.result };
      return attempted.result;
    }
    if (attempted.stamp !== undefined) memory.state = { type: 'unknown', ...attempted.stamp };
    else if (this.#memories.get(name) === memory) this.#memories.delete(name);
    throw attempted.error;
  }

  #remember(name: string, memory: Memory): void {
    this.#memories.set(name, memory);
    if (this.#memories.size <= this.#keysMax) return;
    const oldest = this.#memories.keys().next().value;
    if (oldest !== undefined) this.#memories.delete(oldest);
  }
}

/**
 * Tells two requests under one key apart. A mistake of the client is to be found, not an attack on itself: lengths and a
 * checksum do.
 */
export function digestOf(
  key: Uint8Array,
  record: Pick<StoredRecord, 'isTombstone' | 'contentType' | 'value'>,
  ttlSeconds: number | undefined,
): string {
  const { isTombstone, contentType, value } = record;
  const sum = crc32(value, crc32(key));
  return [
    isTombstone ? 'delete' : 'put',
    key.length,
    value.length,
    sum,
    ttlSeconds ?? '',
    contentType ?? '',
  ].join(' ');
}

function mismatch(): KvError {
  return new KvError(
    'IDEMPOTENCY_MISMATCH',
    'this idempotency key was used for another write; use a new key for each write, and the same one only to repeat it unchanged',
  );
}
