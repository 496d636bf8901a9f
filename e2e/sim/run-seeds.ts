import type { PlanChanges } from '../../store/sim/world/plan.ts';
import type { Verdict } from '../../store/sim/world/run.ts';
import type { Pool } from './pool.ts';

export type SeedRange = {
  readonly first: number;
  readonly count: number;
  readonly changes: PlanChanges;
  /** No further seed is begun after so many failures, or at this time. */
  readonly failuresMax: number;
  readonly untilMs: number | undefined;
  readonly jobs: number;
};

export type Tally = {
  done: number;
  events: number;
  virtualMs: number;
  acknowledged: number;
  reads: number;
  /** Writes of data that were acknowledged, and reads of data that were answered. */
  dataWrites: number;
  dataReads: number;
  withoutQuorum: number;
  readonly failures: Verdict[];
};

/** Runs the seeds of a range on all threads. */
export async function runSeeds(pool: Pool, range: SeedRange, onDone: (tally: Tally) => void): Promise<Tally> {
  const tally: Tally = {
    done: 0,
    events: 0,
    virtualMs: 0,
    acknowledged: 0,
    reads: 0,
    dataWrites: 0,
    dataReads: 0,
    withoutQuorum: 0,
    failures: [],
  };
  let next = range.first;
  const isOver = (): boolean =>
    next >= range.first + range.count ||
    tally.failures.length >= range.failuresMax ||
    (range.untilMs !== undefined && Date.now() >= range.untilMs);
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const result = await pool.do({ type: 'run', seed: next++, changes: range.changes });
      if (result.type === 'ran') count(tally, result.verdict);
      onDone(tally);
    }
  };
  await Promise.all(Array.from({ length: range.jobs }, lane));
  tally.failures.sort((a, b) => a.seed - b.seed);
  return tally;
}

function count(tally: Tally, verdict: Verdict): void {
  tally.done += 1;
  tally.events += verdict.events;
  tally.virtualMs += verdict.virtualMs;
  tally.acknowledged += verdict.outcomes.acknowledged;
  tally.reads += verdict.outcomes.reads;
  const { data } = verdict.outcomes;
  tally.dataWrites += data.acknowledged;
  tally.dataReads += data.found + data.absent;
  if (verdict.result === 'no quorum left') tally.withoutQuorum += 1;
  if (verdict.result === 'violation') tally.failures.push(verdict);
}
