import { compareBytes, compareParts } from '../../core/bytes/bytes.ts';
import { hashEntry, hashKeyAt } from '../../core/merkle/entry-hash.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { BulkPage } from '../../peer/bulk-page.ts';
import type { EngineOperation } from '../../storage/engine.ts';
import { DATA_PREFIX_BYTES, namespaceIdOf } from '../../storage/key-layout.ts';
import { keyAt, keyStart, valueStart } from '../../storage/packed-entries.ts';
import { headAt } from '../../storage/record.ts';
import { type Held, indexKeyOf } from './held.ts';
import { isCollectable } from './judge-store.ts';
import { addressOf } from './ranges.ts';

export type Put = Extract<EngineOperation, { readonly type: 'put' }>;

/** A page all of whose records are to be stored as they are: in the order of their keys. */
export type FreshPage = {
  readonly page: BulkPage;
  /** Of each record, in the same order, the words of its hashes that a tree needs (`HASH_WORDS`). */
  readonly hashes: Int32Array;
  /** The entries of the indexes. */
  readonly indexPuts: readonly Put[];
  readonly namespaceIds: ReadonlySet<number>;
  readonly highest: Version;
  /** Keys and records. */
  readonly bytes: number;
};

/** High word of the key's hash, then high and low word of the entry's. */
export const HASH_WORDS = 3;

const NO_VALUE = new Uint8Array();

export type FreshPageOptions = {
  /** All keys of the page must be above this one. */
  readonly after: Uint8Array;
  readonly watermark: Version;
};

/**
 * Reads a page for a partition of which nothing is known but pages before it. Undefined where some record needs a closer look: it
 * fails its checksum, need not come (`judge-store.ts`), or is out of order.
 */
export function readFreshPage(page: BulkPage, { after, watermark }: FreshPageOptions): FreshPage | undefined {
  if (page.count === 0 || compareBytes(after, keyAt(page, 0)) >= 0) return undefined;
  const indexPuts: Put[] = [];
  const hashes = new Int32Array(HASH_WORDS * page.count);
  const namespaceIds = new Set<number>();
  let highest: Version | undefined;
  let lastNamespaceId: number | undefined;
  let beforeStart = 0;
  let beforeEnd = 0;
  let bytes = page.valueBytes;
  for (let place = 0; place < page.count; place++) {
    const start = keyStart(page, place);
    const end = valueStart(page, place);
    const held = headAt(page.bytes, start, end, page.starts[place + 1] as number);
    const isInOrder = compareParts(page.bytes, beforeStart, beforeEnd, page.bytes, start, end) < 0;
    if (held === undefined || !isInOrder || isCollectable(held, watermark)) return undefined;
    noteIndexPut(indexPuts, page, place, held);
    const namespaceId = namespaceIdOf(page.bytes, start);
    const keyHash = hashKeyAt(namespaceId, page.bytes, start + DATA_PREFIX_BYTES, end);
    const entryHash = hashEntry(keyHash, held.version, held.isTombstone);
    hashes[HASH_WORDS * place] = keyHash.high;
    hashes[HASH_WORDS * place + 1] = entryHash.high;
    hashes[HASH_WORDS * place + 2] = entryHash.low;
    if (namespaceId !== lastNamespaceId) namespaceIds.add(namespaceId);
    lastNamespaceId = namespaceId;
    if (highest === undefined || compareVersions(held.version, highest) > 0) highest = held.version;
    beforeStart = start;
    beforeEnd = end;
    bytes += end - start;
  }
  return highest && { page, hashes, indexPuts, namespaceIds, highest, bytes };
}

function noteIndexPut(puts: Put[], page: BulkPage, place: number, held: Held): void {
  if (!held.isTombstone && held.expiresAtMs === undefined) return;
  const key = indexKeyOf(addressOf(keyAt(page, place)), held);
  if (key !== undefined) puts.push({ type: 'put', key, value: NO_VALUE });
}
