import { ByteBuilder } from '../../core/bytes/byte-builder.ts';
import type { BulkRequest, DataReply, KeyAt, PartitionAt } from '../../peer/data-messages.ts';
import type { Engine, EngineView, KeyRange } from '../../storage/engine.ts';
import { namespaceIdOf, rangeAfter, userKeyOf } from '../../storage/key-layout.ts';
import { packEntry } from '../../storage/packed-entries.ts';
import { isRefused, type Refused } from '../exchange/fence.ts';
import { dataKeyAfter, partitionRange } from '../replica/ranges.ts';
import type { OwnedPartition } from '../types.ts';

/** Of one page, whatever its asker allows. */
const PAGE_BYTES_MAX = 4 << 20;
/** Of what is read at once: it is garbage before the collector takes it for something that stays. */
const STEP_ENTRIES_MAX = 128;

export type GivePageDeps = {
  readonly engine: Engine;
  /** What is owned at exactly the epoch that the request names, or why it is refused. */
  fence(at: PartitionAt): OwnedPartition | Refused;
  /** Of clients' requests here. */
  p99Ms(): number | undefined;
};

/**
 * A page of a partition for a member that comes to it, as it lies on the disk. The fence is passed before and after: in between
 * the data may have been deleted, its owner being another.
 */
export async function givePage(
  request: BulkRequest,
  { engine, fence, p99Ms }: GivePageDeps,
): Promise<DataReply> {
  const { partition, after } = request;
  const refusal = fence(request);
  if (isRefused(refusal)) return refusal;
  await using view = engine.openView({ reverse: false });
  const range = dataKeyAfter(partitionRange(partition), after && { partition, ...after });
  const page = await readPage(view, range, Math.min(request.bytesMax, PAGE_BYTES_MAX));
  const again = fence(request);
  if (isRefused(again)) return again;
  return { type: 'bulk', ...page, p99Ms: p99Ms() };
}

/** `last`: the last key, unless the range has no more behind it. */
async function readPage(
  view: EngineView,
  range: KeyRange,
  bytesMax: number,
): Promise<{ readonly records: Uint8Array; readonly last: KeyAt | undefined }> {
  const records = ByteBuilder.idle();
  for (let [left, bytes] = [range, 0]; ; ) {
    const limits = { entriesMax: STEP_ENTRIES_MAX, bytesMax: bytesMax - bytes };
    const { entries, done } = await view.page(left, limits);
    for (const { key, value } of entries) {
      packEntry(records, key, value);
      bytes += key.length + value.length;
    }
    const last = entries.at(-1)?.key;
    if (done || last === undefined) return { records: records.takeLast(), last: undefined };
    if (bytes > bytesMax) return { records: records.takeLast(), last: keyAtOf(last) };
    left = rangeAfter(left, last, false);
  }
}

function keyAtOf(storedKey: Uint8Array): KeyAt {
  return { namespaceId: namespaceIdOf(storedKey), key: Uint8Array.from(userKeyOf(storedKey)) };
}
