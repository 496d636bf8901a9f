import type { MemberId } from '../../core/raft/types.ts';
import type { Move, Partition } from '../../core/topology/types.ts';
import { compareVersions, formatVersion, type Version } from '../../core/version/version.ts';
import { describeFact, type PartitionFact } from './partition-facts.ts';
import { requireOf } from './violation.ts';

const requireDurable = requireOf('an epoch is durable before it is confirmed');
const requireFenced = requireOf('a set is left once too few of it are behind to be read');
const requireOneWay = requireOf('there is no way back after the switch');
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
  if (before?.move?.stage === 'switch' && before.epoch !== epoch)
    requireLeft(number, before, before.move.to, now, factOf);
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

/** From the switch a partition goes nowhere but to T, and only once N - R + 1 of F have the switch on their disks. */
function requireLeft(
  number: number,
  before: Partition,
  to: readonly MemberId[],
  now: Partition,
  factOf: FactOf,
): void {
  const set = before.replicas;
  const isTo = now.replicas.length === to.length && now.replicas.every((member) => to.includes(member));
  requireOneWay(isTo, () => `partition ${number} was read from ${to} and is now of ${now.replicas}`);
  const behind = set.filter((member) => (factOf(member)?.epoch ?? before.epoch) < before.epoch);
  requireFenced(
    set.length - behind.length >= countOf(set),
    () => `partition ${number}, epoch ${now.epoch}: ${behind} of ${set} have not the epoch ${before.epoch}`,
  );
}

/** N - R + 1, which is N - W + 1; counted here once more, since it is one of the rules that is looked after. */
const countOf = (set: readonly MemberId[]): number => Math.ceil(set.length / 2);

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
  return promises.toSorted(compareVersions)[countOf(set) - 1];
}
