import type { PlanLimits } from './plan-moves.ts';

/** Nobody is short of anything: the more move at once, the more of them share each step and each change of the topology. */
const CALM: PlanLimits = { movesMax: 256, enteringPerMemberMax: 256 };
/** Each write to a partition that moves is a write to more members than else, so few move at once. */
const BUSY: PlanLimits = { movesMax: 16, enteringPerMemberMax: 4 };
/** Share of the time in which the event loop of a member is busy; a transfer in a calm cluster does not take so much. */
const BUSY_LOAD = 0.75;

/** How many moves may be under way, by the `load` of the busiest member, 0 to 1 (gossip). Those that are go on. */
export function planLimits(load: number): PlanLimits {
  return load < BUSY_LOAD ? CALM : BUSY;
}
