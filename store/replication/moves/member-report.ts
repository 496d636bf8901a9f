import type { MemberReport } from '../../peer/data-messages.ts';
import type { HintKeeper, Replica } from '../types.ts';
import type { ReceivedBytes } from './received.ts';
import type { RecordSize } from './record-size.ts';

export type MemberReportDeps = {
  readonly replica: Pick<Replica, 'owned' | 'ownedPartitions'>;
  readonly received: ReceivedBytes;
  readonly recordSize: RecordSize;
  readonly hints: Pick<HintKeeper, 'status'>;
  freeBytes(): number | undefined;
};

/** What this member says of its data when it is asked (docs/moves.md, Progress). Cheap: it reads a few pages at most. */
export async function memberReport(deps: MemberReportDeps): Promise<MemberReport> {
  const { replica, received, recordSize, hints, freeBytes } = deps;
  const mean = await recordSize.mean();
  const owned = replica.ownedPartitions().flatMap((partition) => {
    const entries = replica.owned(partition)?.tree?.entryCount;
    return entries === undefined ? [] : [{ partition, entries, bytes: Math.round(entries * mean) }];
  });
  return {
    received: received.report(),
    owned,
    hints: hints.status().owners.map(({ owner, count, bytes }) => ({ member: owner, count, bytes })),
    freeBytes: freeBytes(),
  };
}
