import type { Minimised } from '../../store/sim/world/minimise.ts';
import type { PlanChanges } from '../../store/sim/world/plan.ts';
import type { Verdict } from '../../store/sim/world/run.ts';

/** What a thread is told to do, one at a time. */
export type Task =
  | { readonly type: 'run'; readonly seed: number; readonly changes: PlanChanges }
  | { readonly type: 'minimise'; readonly seed: number; readonly changes: PlanChanges };

export type Result =
  | { readonly type: 'ran'; readonly verdict: Verdict }
  | { readonly type: 'minimised'; readonly found: Minimised };
