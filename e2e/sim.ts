import { spawnSync } from 'node:child_process';
import { settle } from '../store/io/settle.ts';
import { drawPlan } from '../store/sim/world/plan.ts';
import { runPlan, type Verdict } from '../store/sim/world/run.ts';
import { replayCommand } from './sim/command.ts';
import { parseOptions, type SimOptions } from './sim/options.ts';
import { Pool } from './sim/pool.ts';
import { Progress } from './sim/progress.ts';
import { runMutants } from './sim/run-mutants.ts';
import { runSeeds, type Tally } from './sim/run-seeds.ts';

/** `./dev.sh sim`: whole nodes on virtual time under faults, one run for each seed; docs/testing.md. */
async function main(options: SimOptions): Promise<boolean> {
  if (options.mutants !== undefined) return runMutants(options);
  if (options.seed !== undefined) return replay(options.seed, options);
  return explore(options);
}

/** One run with its trace. */
async function replay(seed: number, { changes }: SimOptions): Promise<boolean> {
  const plan = drawPlan(seed, changes);
  console.log(JSON.stringify({ ...plan, machines: plan.machines.slice(0, plan.nodes) }));
  const verdict = await runPlan(plan, { settle, write: (line) => console.log(line) });
  console.log(JSON.stringify(verdict));
  return verdict.violation === undefined;
}

async function explore(options: SimOptions): Promise<boolean> {
  const { first, seeds, minutes, jobs, changes, failuresMax } = options;
  const startMs = Date.now();
  const untilMs = minutes === undefined ? undefined : startMs + minutes * 60_000;
  using pool = new Pool(jobs);
  const progress = new Progress(seeds, minutes);
  const range = { first, count: seeds, changes, failuresMax, untilMs, jobs };
  const tally = await runSeeds(pool, range, ({ done, failures }) => progress.show(done, failures));
  progress.end();
  for (const failure of tally.failures) await explain(pool, failure, options);
  console.log(summary(tally, first, (Date.now() - startMs) / 1000));
  return tally.failures.length === 0;
}

/** A failing seed as a bug report: what broke, at which commit, and the shortest way to see it again. */
async function explain(pool: Pool, { seed, violation }: Verdict, { changes }: SimOptions): Promise<void> {
  console.log(`\nseed ${seed} at commit ${commit()} breaks: ${violation?.check}\n  ${violation?.message}`);
  console.log(`  replay: ${replayCommand(seed, changes)}`);
  const result = await pool.do({ type: 'minimise', seed, changes });
  if (result.type !== 'minimised') return;
  const { found } = result;
  console.log(`  shortest of ${found.runs} runs: ${replayCommand(seed, found.changes)}`);
  console.log(`  ${found.verdict.violation?.message}\n`);
  const lines: string[] = [];
  await runPlan(drawPlan(seed, found.changes), { settle, write: (line) => void lines.push(line) });
  for (const line of lines.slice(-TRACE_LINES)) console.log(`  ${line.slice(0, 300)}`);
}

const TRACE_LINES = 40;

function summary(tally: Tally, first: number, seconds: number): string {
  const { done, events, virtualMs, acknowledged, reads, dataWrites, dataReads, withoutQuorum, failures } =
    tally;
  return (
    `${done} seeds from ${first}: ${failures.length} failed; ${events} events, ${Math.round(virtualMs / 3_600_000)} h of virtual time, ` +
    `${acknowledged} changes acknowledged, ${reads} linearizable reads, ${dataWrites} writes and ${dataReads} reads of data, ${withoutQuorum} ended without a quorum; ${seconds.toFixed(0)} s`
  );
}

function commit(): string {
  const { stdout } = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  return stdout.trim() || 'unknown';
}

try {
  process.exitCode = (await main(parseOptions(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  console.error(`sim: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
