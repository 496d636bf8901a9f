import { randomBytes, randomInt } from 'node:crypto';
import type { ScanEntry, ScanQuery } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';

const PAGE = 64;
const TAIL_BYTES = 4;

/**
 * One of the keys: of those that follow a place that is drawn between the first and the last one. Keys that lie in a crowd are drawn less
 * often than lone ones.
 */
export async function randomKey(call: Call): Promise<Uint8Array | undefined> {
  const first = (await pageOf(call, { limit: 1 }))[0]?.key;
  const last = (await pageOf(call, { limit: 1, reverse: true }))[0]?.key;
  if (first === undefined || last === undefined) return first ?? last;
  const page = await pageOf(call, { limit: PAGE, start: between(first, last) });
  return page.length === 0 ? last : (page[randomInt(page.length)] as ScanEntry).key;
}

async function pageOf({ context, session }: Call, query: ScanQuery): Promise<readonly ScanEntry[]> {
  const { entries } = await context.store.scan(session.namespace, { ...query, keysOnly: true });
  return entries;
}

/** Bytes that sort somewhere from `first` to `last`: what both begin with, a byte between theirs, and any others. */
function between(first: Uint8Array, last: Uint8Array): Uint8Array {
  let shared = 0;
  while (shared < first.length && first[shared] === last[shared]) shared++;
  const low = first[shared] ?? 0;
  const high = last[shared] ?? low;
  const drawn = Buffer.concat([
    last.subarray(0, shared),
    Buffer.from([randomInt(low, high + 1)]),
    randomBytes(TAIL_BYTES),
  ]);
  return new Uint8Array(drawn);
}
