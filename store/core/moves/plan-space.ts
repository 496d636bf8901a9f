import type { MemberId } from '../raft/types.ts';
import type { TopologyState } from '../topology/types.ts';
import type { MoveFacts } from './next-step.ts';
import { differingPartitions, planTarget } from './plan-moves.ts';
import { type Holdings, sizesOf } from './progress.ts';
import { enteringOf } from './rules.ts';
import { hasSpace, neededBytes } from './space.ts';

/** What a member says of its disk; undefined where it cannot be told. */
export type DiskReport = Holdings & { readonly freeBytes: number | undefined };

/** A member whose disk could not take what it is to get. */
export type SpaceShort = {
  readonly member: MemberId;
  readonly freeBytes: number;
  readonly arrivingBytes: number;
  readonly neededBytes: number;
};

/**
 * Whose disk is too small for what `state`, as it would be with an operation, asks for. Whoever said nothing of its disk counts as having
 * room: it refuses by itself, partition by partition, where it has not.
 */
export function spaceShortOf(
  state: TopologyState,
  facts: MoveFacts,
  reports: ReadonlyMap<MemberId, DiskReport>,
  { reserveBytes }: { readonly reserveBytes: number },
): readonly SpaceShort[] {
  const arriving = arrivingBytes(state, facts, reports);
  return [...arriving].flatMap(([member, bytes]): SpaceShort[] => {
    const freeBytes = reports.get(member)?.freeBytes;
    const asked = { freeBytes, reserveBytes, arrivingBytes: bytes };
    if (freeBytes === undefined || hasSpace(asked)) return [];
    return [{ member, freeBytes, arrivingBytes: bytes, neededBytes: neededBytes(asked) }];
  });
}

/** Of the copies that are not made yet. */
function arrivingBytes(
  state: TopologyState,
  facts: MoveFacts,
  reports: ReadonlyMap<MemberId, DiskReport>,
): ReadonlyMap<MemberId, number> {
  const target = planTarget(state, facts);
  if (target === undefined) return new Map();
  const sizes = sizesOf(reports);
  const arriving = new Map<MemberId, number>();
  for (const { number, partition, to } of differingPartitions(state, target))
    for (const member of enteringOf(partition.replicas, to))
      arriving.set(member, (arriving.get(member) ?? 0) + (sizes.get(number) ?? 0));
  return arriving;
}
