import { drawPlan, type PlanChanges } from './plan.ts';
import { runPlan, type Verdict } from './run.ts';
import type { WorldDeps } from './world.ts';

export type Minimised = { readonly changes: PlanChanges; readonly verdict: Verdict; readonly runs: number };

const RUNS_MAX = 80;

/**
 * The smallest run that breaks the same promise as `verdict`: the time ends at the violation, faults are left out one by
 * one, machines are taken away, for as long as the same check notices.
 */
export async function minimise(seed: number, first: PlanChanges, deps: WorldDeps): Promise<Minimised> {
  const search = new Search(seed, deps, await runPlan(drawPlan(seed, first), deps));
  let changes = first;
  for (let before: PlanChanges | undefined; before !== changes && search.isOpen; ) {
    before = changes;
    changes = await withoutFaults(search, changes);
    changes = await withFewerNodes(search, changes);
    changes = await withLessTime(search, changes);
  }
  return { changes, verdict: search.verdict, runs: search.runs };
}

class Search {
  runs = 1;
  verdict: Verdict;
  readonly #seed: number;
  readonly #deps: WorldDeps;

  constructor(seed: number, deps: WorldDeps, verdict: Verdict) {
    this.#seed = seed;
    this.#deps = deps;
    this.verdict = verdict;
  }

  get isOpen(): boolean {
    return this.runs < RUNS_MAX && this.verdict.violation !== undefined;
  }

  plan(changes: PlanChanges) {
    return drawPlan(this.#seed, changes);
  }

  /** Whether a run with `changes` breaks the same promise. */
  async fails(changes: PlanChanges): Promise<boolean> {
    if (!this.isOpen) return false;
    this.runs += 1;
    const verdict = await runPlan(this.plan(changes), this.#deps);
    if (kindOf(verdict) !== kindOf(this.verdict)) return false;
    this.verdict = verdict;
    return true;
  }
}

/** What broke, whoever it was. */
function kindOf({ violation }: Verdict): string {
  const where = violation?.message.split('\n')[0]?.replaceAll(/[0-9a-f]{16,}|\d+/g, '#');
  return `${violation?.check}: ${violation?.check === 'convergence' ? where : ''}`;
}

async function withoutFaults(search: Search, changes: PlanChanges): Promise<PlanChanges> {
  let best = changes;
  for (const { name } of search.plan(changes).faults) {
    const next = { ...best, without: [...(best.without ?? []), name] };
    if (await search.fails(next)) best = next;
  }
  return best;
}

async function withFewerNodes(search: Search, changes: PlanChanges): Promise<PlanChanges> {
  let best = changes;
  for (let nodes = search.plan(changes).nodes - 1; nodes >= 1; nodes--) {
    const next = { ...best, nodes };
    if (!(await search.fails(next))) break;
    best = next;
  }
  return best;
}

async function withLessTime(search: Search, changes: PlanChanges): Promise<PlanChanges> {
  let best = changes;
  for (const part of [0.25, 0.5, 0.75]) {
    const { durationMs } = search.plan(best);
    const next = { ...best, durationMs: Math.ceil(durationMs * part) };
    if (await search.fails(next)) best = next;
  }
  return best;
}
