import { packRecords } from '../../peer/bulk-page.ts';
import type { BulkRequest, DataReply, PartitionAt } from '../../peer/data-messages.ts';
import type { Engine } from '../../storage/engine.ts';
import { isRefused, type Refused } from '../exchange/fence.ts';
import { addressOf, dataKeyAfter, partitionRange } from '../replica/ranges.ts';
import type { OwnedPartition } from '../types.ts';

/** Of one page, whatever its asker allows. */
const PAGE_BYTES_MAX = 4 << 20;
const PAGE_ENTRIES_MAX = 20_000;

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
  const bytesMax = Math.min(request.bytesMax, PAGE_BYTES_MAX);
  const page = await view.page(range, { entriesMax: PAGE_ENTRIES_MAX, bytesMax });
  const again = fence(request);
  if (isRefused(again)) return again;
  const records = page.entries.map(({ key, value }) => {
    const { namespaceId, key: userKey } = addressOf(key);
    return { namespaceId, key: userKey, record: value };
  });
  const last = page.done ? undefined : records.at(-1);
  return {
    type: 'bulk',
    records: packRecords(records),
    last: last && { namespaceId: last.namespaceId, key: Uint8Array.from(last.key) },
    p99Ms: p99Ms(),
  };
}
