import { createPrng, type Prng } from '../../core/prng/prng.ts';
import { Violation } from '../checkers/violation.ts';
import { converge } from './convergence.ts';
import { noDataOutcomes } from './data-client.ts';
import type { DataPlan } from './data-plan.ts';
import { readAll, startDataWorkload } from './data-workload.ts';
import { startDrains } from './drains.ts';
import { FAULT_NAMES } from './fault-names.ts';
import { FAULTS } from './faults.ts';
import { startMovers } from './movers.ts';
import type { Plan } from './plan.ts';
import { startSlowSpells } from './slow-spells.ts';
import { type Outcomes, startWorkload } from './workload.ts';
import { SimWorld, type WorldDeps } from './world.ts';

/** What a run came to: the same for equal plans, on every machine. */
export type Verdict = {
  readonly seed: number;
  readonly result: 'converged' | 'no quorum left' | 'violation';
  readonly violation: { readonly check: string; readonly message: string } | undefined;
  /** Of everything that was noted, in order. */
  readonly digest: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly epochs: number;
  /** Of partitions, in all clusters. */
  readonly moves: { readonly started: number; readonly done: number; readonly cancelled: number };
  readonly outcomes: Outcomes;
};

/** Machines start, faults happen and clients come and go as planned; then the faults stop and all must be well. */
export async function runPlan(plan: Plan, deps: WorldDeps): Promise<Verdict> {
  const world = new SimWorld(plan, deps);
  const prng = createPrng(plan.seed + 2);
  for (const [i, machine] of world.machines.entries())
    world.later(plan.machines[i]?.startMs ?? 0, () => machine.start());
  makeCluster(world);
  scheduleFaults(world, plan);
  const outcomes = startWorkload(world, plan.operationEveryMs, createPrng(prng.uint32()));
  if (plan.data !== undefined) startData(world, plan.data, prng, outcomes);
  let result: Verdict['result'] = 'violation';
  const forget = deps.onUncaught?.((error) => world.fail(error));
  try {
    await world.run(plan.durationMs);
    if (!world.hasFailed) result = await converge(world, prng);
    if (!world.hasFailed && plan.data !== undefined) await checkData(world, plan.data, prng, result);
  } catch (error) {
    world.fail(error);
  } finally {
    forget?.();
  }
  return verdictOf(world, plan, world.hasFailed ? 'violation' : result, outcomes);
}

function startData(world: SimWorld, data: DataPlan, prng: Prng, outcomes: Outcomes): void {
  startDataWorkload(world, data, createPrng(prng.uint32()), outcomes.data);
  const { slowEveryMs, moveEveryMs } = data;
  startDrains(world, data.drainEveryMs, createPrng(prng.uint32()));
  if (moveEveryMs !== undefined) startMovers(world, moveEveryMs, createPrng(prng.uint32()));
  if (slowEveryMs !== undefined) startSlowSpells(world, slowEveryMs, createPrng(prng.uint32()));
}

/** All that clients saw, and what every node reads at the end where it can. */
async function checkData(
  world: SimWorld,
  data: DataPlan,
  prng: Prng,
  result: Verdict['result'],
): Promise<void> {
  if (result === 'converged') await readEverywhere(world, data, prng);
  for (const watch of world.data) world.guard(() => watch.requireLinearizable());
}

async function readEverywhere(world: SimWorld, data: DataPlan, prng: Prng): Promise<void> {
  const outcomes = noDataOutcomes();
  for (const machine of world.machines)
    readAll(world, data, machine, prng, outcomes).catch((error: unknown) => world.fail(error));
  await world.run(LAST_READS_MS);
  const failed = outcomes.readsFailed + outcomes.forming;
  if (failed > 0) world.fail(new Violation('convergence', `${failed} reads fail after it`));
}

const LAST_READS_MS = 10_000;

/** Somebody tells the first machine to make a cluster, again and again until there is one. */
function makeCluster(world: SimWorld): void {
  const first = world.machines[0];
  const tell = (): void => {
    if (world.isCalm || first === undefined || first.log.identity !== undefined || world.watches.size > 0)
      return;
    world.bootstrap(first, 'same');
    world.later(1000, tell);
  };
  world.later(100, tell);
}

function scheduleFaults(world: SimWorld, plan: Plan): void {
  for (const { name, everyMs } of plan.faults) {
    const prng = createPrng(plan.seed * FAULT_NAMES.length + FAULT_NAMES.indexOf(name));
    const next = (): void => {
      if (world.isCalm) return;
      FAULTS[name](world, prng);
      world.later(prng.unit() * 2 * everyMs, next);
    };
    world.later(prng.unit() * 2 * everyMs, next);
  }
}

function verdictOf(world: SimWorld, { seed }: Plan, result: Verdict['result'], outcomes: Outcomes): Verdict {
  const epochs = Math.max(0, ...[...world.watches.values()].map(({ history }) => history.state?.epoch ?? 0));
  return {
    seed,
    result,
    violation: world.hasFailed ? describe(world.failure) : undefined,
    digest: world.trace.digest,
    events: world.timeline.eventsRun,
    virtualMs: Math.round(world.timeline.nowMs),
    epochs,
    moves: movesOf(world),
    outcomes,
  };
}

function movesOf(world: SimWorld): Verdict['moves'] {
  const moves = { started: 0, done: 0, cancelled: 0 };
  for (const { history } of world.watches.values()) {
    moves.started += history.moves.started;
    moves.done += history.moves.done;
    moves.cancelled += history.moves.cancelled;
  }
  return moves;
}

function describe(failure: unknown): { readonly check: string; readonly message: string } {
  if (failure instanceof Violation) return { check: failure.check, message: failure.message };
  const message = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
  return { check: 'nothing is thrown', message };
}
