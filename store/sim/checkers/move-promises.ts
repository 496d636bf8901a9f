import { sourcesNeeded } from '../../core/moves/rules.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Move, Partition } from '../../core/topology/types.ts';
import { compareVersions, formatVersion, type Version } from '../../core/version/version.ts';
import { describeFact, type PartitionFact } from './partition-facts.ts';
import { requireOf } from './violation.ts';

const requireDurable = requireOf('an epoch is durable before it is confirmed');
const requireInherited = requireOf('who enters takes over what was promised');

/** What the disk of a member says of a partition; undefined where that is not known, or nothing is promised. */
export type FactOf = (member: MemberId) => PartitionFact | undefined;

/** Of the step of a move from `before` to `now`, that was committed: what members said of their disks is so. */
export function requirePromises(
  number: number,
  before: Partition | undefined,
  now: Partition,
  factOf: FactOf,
): void {
  const { move, replicas, epoch } = now;
  if (move === undefined) return;
  const last = before?.epoch === epoch ? before.move : undefined;
  for (const member of saidBy(move).filter((one) => last === undefined || !saidBy(last).includes(one))) {
    const fact = factOf(member);
    if (fact === undefined) continue;
    const where = (): string => `partition ${number}, ${move.stage}, epoch ${epoch}: member ${member} has`;
    if (move.stage !== 'joint') requireDurable(fact.epoch >= epoch, () => `${where()} ${describeFact(fact)}`);
    else
      for (const promise of ['floor', 'watermark'] as const) {
        const least = leastOf(replicas, (one) => factOf(one)?.[promise]);
        requireInherited(
          least === undefined || compareVersions(fact[promise], least) >= 0,
          () =>
            `${where()} ${describeFact(fact)}; a ${promise} of ${least && formatVersion(least)} was promised`,
        );
      }
  }
}

function saidBy(move: Move): readonly MemberId[] {
  return move.stage === 'joint' ? move.entered : move.confirmed;
}

/** The least that the highest of N - W + 1 of the set can be; undefined where the promises of some are not known. */
function leastOf(
  set: readonly MemberId[],
  promiseOf: (member: MemberId) => Version | undefined,
): Version | undefined {
  const promises = set.flatMap((member) => promiseOf(member) ?? []);
  if (promises.length < set.length) return undefined;
  return promises.toSorted(compareVersions)[sourcesNeeded(set) - 1];
}
