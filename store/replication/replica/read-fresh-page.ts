import { compareBytes } from '../../core/bytes/bytes.ts';
import { hashEntry, hashKey } from '../../core/merkle/entry-hash.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import { type BulkPage, recordAt } from '../../peer/bulk-page.ts';
import type { EngineOperation } from '../../storage/engine.ts';
import { dataKey } from '../../storage/key-layout.ts';
import { decodeHeld, indexKeyOf } from './held.ts';
import { isCollectable } from './judge-store.ts';

export type Put = Extract<EngineOperation, { readonly type: 'put' }>;

/** A page all of whose records are to be stored as they are. */
export type FreshPage = {
  /** One for each record, in the order of their keys. */
  readonly puts: readonly Put[];
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
  readonly partition: number;
  /** All keys of the page must be above this one. */
  readonly after: Uint8Array;
  readonly watermark: Version;
};

/**
 * Reads a page for a partition of which nothing is known but pages before it. Undefined where some record needs a closer look: it
 * fails its checksum, need not come (`judge-store.ts`), or is out of order.
 */
export function readFreshPage(
  page: BulkPage,
  { partition, after, watermark }: FreshPageOptions,
): FreshPage | undefined {
  const puts: Put[] = [];
  const indexPuts: Put[] = [];
  const hashes = new Int32Array(HASH_WORDS * page.count);
  const namespaceIds = new Set<number>();
  let highest: Version | undefined;
  let lastNamespaceId: number | undefined;
  let before = after;
  let bytes = page.recordBytes;
  for (let place = 0; place < page.count; place++) {
    const { namespaceId, key, record } = recordAt(page, place);
    const address = { partition, namespaceId, key };
    const storedKey = dataKey(address);
    const held = decodeHeld(storedKey, record);
    if (held === undefined || compareBytes(before, storedKey) >= 0 || isCollectable(held, watermark))
      return undefined;
    puts.push({ type: 'put', key: storedKey, value: record });
    const indexKey = indexKeyOf(address, held);
    if (indexKey !== undefined) indexPuts.push({ type: 'put', key: indexKey, value: NO_VALUE });
    const keyHash = hashKey(namespaceId, key);
    const entryHash = hashEntry(keyHash, held.version, held.isTombstone);
    hashes[HASH_WORDS * place] = keyHash.high;
    hashes[HASH_WORDS * place + 1] = entryHash.high;
    hashes[HASH_WORDS * place + 2] = entryHash.low;
    if (namespaceId !== lastNamespaceId) namespaceIds.add(namespaceId);
    lastNamespaceId = namespaceId;
    if (highest === undefined || compareVersions(held.version, highest) > 0) highest = held.version;
    before = storedKey;
    bytes += storedKey.length;
  }
  return highest && { puts, hashes, indexPuts, namespaceIds, highest, bytes };
}
