import type { MemberId } from '../../core/raft/types.ts';
import { sealedDifferences } from '../../core/round/judge-key.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { KeyAt, KeyReport, PartitionAt } from '../../peer/data-messages.ts';
import type { OwnedPartition } from '../types.ts';
import { type DataAsker, isFailure } from './data-asker.ts';
import { holdingsOf, type Watermarks } from './holdings.ts';
import type { MergedKey } from './merged-leaves.ts';

export type SealedCheckDeps = {
  readonly self: MemberId;
  readonly asker: DataAsker;
  readonly owned: (partition: number) => OwnedPartition | undefined;
};

/** A record that a member holds although another, below whose watermark it lies, does not. */
export type SealedDifference = KeyAt & { readonly member: MemberId; readonly version: Version };

/** Records of a listed key that are odd unless they have expired; tombstones are not. */
export function suspectsOf(key: MergedKey, watermarks: Watermarks): readonly SealedDifference[] {
  const { namespaceId, key: name, entries } = key;
  return sealedDifferences(holdingsOf(key, watermarks)).flatMap((member) => {
    const entry = entries.get(member);
    if (entry === undefined || entry.isTombstone) return [];
    return [{ namespaceId, key: name, member, version: entry.version }];
  });
}

/**
 * Whether the member holds the record still, and live. It is asked after the other said that it has nothing: the tombstone
 * that the other collected has reached this one by then. What expires above the watermark may not be collected either.
 */
export async function isStillLive(
  deps: SealedCheckDeps,
  at: PartitionAt,
  { member, namespaceId, key, version }: SealedDifference,
  watermarks: Watermarks,
): Promise<boolean> {
  const report = await reportOf(deps, at, member, { namespaceId, key });
  if (report?.version === undefined || compareVersions(report.version, version) !== 0) return false;
  const { isTombstone, isCorrupt, expiresAtMs } = report;
  const highestMs = Math.max(...[...watermarks.values()].map(({ wallMs }) => wallMs));
  return !isTombstone && !isCorrupt && (expiresAtMs === undefined || expiresAtMs > highestMs);
}

async function reportOf(
  { self, asker, owned }: SealedCheckDeps,
  at: PartitionAt,
  member: MemberId,
  place: KeyAt,
): Promise<Omit<KeyReport, 'hints' | 'lastExchange'> | undefined> {
  if (member === self) return await owned(at.partition)?.report(place);
  const { partition, epoch } = at;
  const request = { type: 'explain', to: member, partition, epoch, ...place } as const;
  const reply = await asker.ask('explain', request);
  return isFailure(reply) ? undefined : reply;
}
