import type { PlanChanges } from '../../store/sim/world/plan.ts';

/** What replays a run. */
export function replayCommand(seed: number, { nodes, durationMs, without = [] }: PlanChanges): string {
  return [
    `./dev.sh sim --seed ${seed}`,
    nodes === undefined ? '' : ` --nodes ${nodes}`,
    durationMs === undefined ? '' : ` --duration ${durationMs}`,
    without.length === 0 ? '' : ` --without ${without.join(',')}`,
  ].join('');
}
