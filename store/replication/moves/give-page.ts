import type { BulkRequest, DataReply, KeyAt, PartitionAt } from '../../peer/data-messages.ts';
import type { Engine } from '../../storage/engine.ts';
import { namespaceIdOf, userKeyOf } from '../../storage/key-layout.ts';
import { isRefused, type Refused } from '../exchange/fence.ts';
import { dataKeyAfter, partitionRange } from '../replica/ranges.ts';
import type { OwnedPartition } from '../types.ts';

/** Of one page, whatever its asker allows. */
const PAGE_BYTES_MAX = 4 << 20;

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
  const range = dataKeyAfter(partitionRange(partition), after && { partition, ...after });
  const { packed, last } = await engine.readEntries(range, Math.min(request.bytesMax, PAGE_BYTES_MAX));
  const again = fence(request);
  if (isRefused(again)) return again;
  return { type: 'bulk', records: packed, last: last && keyAtOf(last), p99Ms: p99Ms() };
}

function keyAtOf(storedKey: Uint8Array): KeyAt {
  return { namespaceId: namespaceIdOf(storedKey), key: Uint8Array.from(userKeyOf(storedKey)) };
}
