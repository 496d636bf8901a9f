import type { Configuration, Entry } from '../../core/raft/types.ts';
import { formatConfiguration } from '../raft/format.ts';
import { doQuorumsMeet } from '../raft/quorums-meet.ts';
import type { DiskLog } from '../world/disk-log.ts';
import { requireOf } from './violation.ts';

const require = requireOf('quorums of configurations meet');

/** Each configuration in a log shares a member with every quorum of the one before it. */
export class Configurations {
  persisted(log: DiskLog, fresh: readonly Entry[], committed: number): void {
    if (!fresh.some((entry) => entry.type === 'config') || log.bounds === undefined) return;
    let before = firstOf(log);
    let open = 0;
    for (let index = log.bounds.first; index <= log.bounds.last; index = (index + 1) as typeof index) {
      const entry = log.entries.get(index);
      if (entry?.type !== 'config' || index <= (log.pointer?.index ?? 0)) continue;
      const { configuration } = entry;
      if (before !== undefined && before.voters.length > 0) {
        const pair = `${formatConfiguration(before)} then ${formatConfiguration(configuration)}`;
        require(doQuorumsMeet(before, configuration), () => `disjoint quorums: ${pair} at entry ${index}`);
      }
      before = configuration;
      if (index > committed) open += 1;
    }
    require(open <= 1, () => `${open} uncommitted configurations in one log`);
  }
}

function firstOf({ pointer }: DiskLog): Configuration | undefined {
  return pointer?.configuration;
}
