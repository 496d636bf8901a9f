import type { MemberId } from '../../core/raft/types.ts';
import type { Holding } from '../../core/round/judge-key.ts';
import type { Version } from '../../core/version/version.ts';
import type { MergedKey } from './merged-leaves.ts';

/** By member. */
export type Watermarks = ReadonlyMap<MemberId, Version>;

/** What each member says of a listed key. The watermarks are of a moment before the listing. */
export function holdingsOf({ entries }: MergedKey, watermarks: Watermarks): ReadonlyMap<MemberId, Holding> {
  const holdings = new Map<MemberId, Holding>();
  for (const [member, watermark] of watermarks)
    holdings.set(member, { version: entries.get(member)?.version, watermark });
  return holdings;
}
