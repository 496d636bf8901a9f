import { prefixEnd } from '../../core/bytes/bytes.ts';
import { VERSION_BYTES, type Version } from '../../core/version/version.ts';
import type { EngineEntry, EngineView, KeyRange, PageLimits } from '../../storage/engine.ts';
import {
  dataKey,
  FAMILY,
  namespaceIdOf,
  partitionAt,
  type RecordAddress,
  rangeAfter,
  tombstoneKey,
  userKeyOf,
} from '../../storage/key-layout.ts';

const NO_KEY = new Uint8Array();
/** Bytes of a tombstone's index key up to the end of its version: family, partition, version. */
const TOMBSTONE_VERSION_END = 3 + VERSION_BYTES;

/** All records of a partition. */
export function partitionRange(partition: number): KeyRange {
  return { start: prefixOf(FAMILY.data, partition), end: prefixOf(FAMILY.data, partition + 1) };
}

/** Index entries of the tombstones of a partition; of those at or below `upTo` where it is said. */
export function tombstoneRange(partition: number, upTo?: Version): KeyRange {
  const start = prefixOf(FAMILY.tombstone, partition);
  if (upTo === undefined) return { start, end: prefixOf(FAMILY.tombstone, partition + 1) };
  const last = tombstoneKey(upTo, { partition, namespaceId: 0, key: NO_KEY });
  return { start, end: prefixEnd(last.subarray(0, TOMBSTONE_VERSION_END)) as Uint8Array };
}

export function addressOf(storedKey: Uint8Array): RecordAddress {
  return {
    partition: partitionAt(storedKey),
    namespaceId: namespaceIdOf(storedKey),
    key: userKeyOf(storedKey),
  };
}

/** The data key after which a page of a partition begins. */
export function dataKeyAfter(range: KeyRange, after: RecordAddress | undefined): KeyRange {
  return after === undefined ? range : rangeAfter(range, dataKey(after), false);
}

/** The pages of `range` from one view; waits for `rest` between two of them. */
export async function* pagesOf(
  view: EngineView,
  range: KeyRange,
  limits: PageLimits,
  rest?: () => Promise<void>,
): AsyncGenerator<readonly EngineEntry[], void, void> {
  let left = range;
  for (;;) {
    const page = await view.page(left, limits);
    if (page.entries.length > 0) yield page.entries;
    const last = page.entries.at(-1);
    if (page.done || last === undefined) return;
    left = rangeAfter(left, last.key, false);
    await rest?.();
  }
}

function prefixOf(family: number, partition: number): Uint8Array {
  return Uint8Array.of(family, partition >>> 8, partition);
}
