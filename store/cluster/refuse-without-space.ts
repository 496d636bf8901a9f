import type { MoveFacts } from '../core/moves/next-step.ts';
import { type DiskReport, spaceShortOf } from '../core/moves/plan-space.ts';
import type { MemberId } from '../core/raft/types.ts';
import { applyCommand } from '../core/topology/apply.ts';
import type { CommandOf } from '../core/topology/command.ts';
import type { TopologyState } from '../core/topology/types.ts';
import { ClusterError } from './cluster-admin.ts';

export type SpaceKnown = {
  factsOf(state: TopologyState): MoveFacts;
  readonly reports: ReadonlyMap<MemberId, DiskReport>;
  /** `storage.reserveBytes` */
  readonly reserveBytes: number;
};

/** Throws ClusterError NO_SPACE where a disk could not take what the operation would bring. */
export function refuseWithoutSpace(
  state: TopologyState,
  command: CommandOf<'operation-start'>,
  { factsOf, reports, reserveBytes }: SpaceKnown,
): void {
  const outcome = applyCommand(state, command);
  if (outcome.type !== 'applied') return;
  const after = outcome.state;
  const facts = factsOf(after);
  const short = spaceShortOf(after, facts, reports, { reserveBytes });
  if (short.length === 0) return;
  const shown = short.map(
    ({ member, freeBytes, arrivingBytes, neededBytes }) =>
      `${facts.nameOf(member)} has ${freeBytes} bytes free, and would need ${neededBytes} to take ${arrivingBytes}`,
  );
  throw new ClusterError('NO_SPACE', `the data would not fit: ${shown.join('; ')}`);
}
