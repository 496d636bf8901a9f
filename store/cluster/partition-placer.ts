import type { MemberId } from '../core/raft/types.ts';
import { planPlacement } from '../core/ring/placement.ts';
import type { CommandOf, TopologyCommand } from '../core/topology/command.ts';
import type { TopologyState } from '../core/topology/types.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { type PlacementWaitOptions, placementWait } from './placement-wait.ts';
import { regularly } from './regularly.ts';

export type PartitionPlacerOptions = PlacementWaitOptions & { readonly intervalMs: number };

export type PartitionPlacerDeps = {
  readonly clock: Clock;
  readonly topology: { readonly state: TopologyState | undefined };
  isLeader(): boolean;
  /** As far as gossip tells. */
  isUp(member: MemberId): boolean;
  /** Never rejects; resolves when the outcome is known, or given up on. */
  propose(command: TopologyCommand): Promise<unknown>;
};

/**
 * On the leader: gives the partitions their first owners once enough members are up. It keeps nothing of its own but
 * that a proposal is under way: what it does next follows from the topology, so that a new leader goes on where the old one
 * stopped, and a refusal (the members changed meanwhile) is followed by another plan.
 */
export class PartitionPlacer {
  readonly #options: PartitionPlacerOptions;
  readonly #deps: PartitionPlacerDeps;
  readonly #timer: Timer;
  #isProposing = false;

  constructor(options: PartitionPlacerOptions, deps: PartitionPlacerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#timer = regularly(deps.clock, options.intervalMs, () => this.#place());
  }

  stop(): void {
    this.#timer.cancel();
  }

  #place(): void {
    if (this.#isProposing || !this.#deps.isLeader()) return;
    const { state } = this.#deps.topology;
    if (state === undefined) return;
    const command = firstPlacement(state, this.#options, (member) => this.#deps.isUp(member));
    if (command === undefined) return;
    this.#isProposing = true;
    const end = (): void => {
      this.#isProposing = false;
    };
    this.#deps.propose(command).then(end, end);
  }
}

/** All members that are up share the data, also where they are more than a set needs; undefined while it is not due. */
export function firstPlacement(
  state: TopologyState,
  options: PlacementWaitOptions,
  isUp: (member: MemberId) => boolean,
): CommandOf<'place-partitions'> | undefined {
  if (state.partitions.length > 0) return undefined;
  const { needed, up } = placementWait(state, options, isUp);
  if (up.length < needed) return undefined;
  const members = new Map(up.map(({ number, weight, zone }) => [number, { weight, zone }]));
  const { replicaSets } = planPlacement(state.settings, { members, current: [] });
  return { type: 'place-partitions', expectedEpoch: state.epoch, replicaSets };
}
