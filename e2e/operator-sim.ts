import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { OPERATOR_MUTANTS } from '../operator/sim/mutants.ts';
import { runSeed, type Verdict } from '../operator/sim/run.ts';
import { Progress } from './sim/progress.ts';
import { passes } from './sim/test-mutant.ts';

/** `./dev.sh sim --operator`: two operators on virtual time under faults, one run for each seed; docs/testing.md. */

const SEEDS = 200;
const TRACE_LINES = 60;

type Share = {
  readonly first: number;
  readonly seeds: number;
  readonly minutes: number | undefined;
  /** Of each process. */
  readonly failuresMax: number;
};

type Options = Share & {
  /** From one seed to the next. */
  readonly step: number;
};

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      ...{ seeds: { type: 'string' }, first: { type: 'string' }, minutes: { type: 'string' } },
      ...{ seed: { type: 'string' }, failures: { type: 'string' }, mutants: { type: 'boolean' } },
      ...{ jobs: { type: 'string' }, step: { type: 'string' } },
    },
    allowPositionals: false,
  });
  const first = Number(values.first ?? 1);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  const seeds = Number(values.seeds ?? (minutes === undefined ? SEEDS : 1e9));
  if (values.seed !== undefined) return replay(Number(values.seed));
  if (values.mutants === true) return await mutants(first, Number(values.seeds ?? 40));
  const step = Number(values.step ?? 1);
  const jobs = Number(values.jobs ?? 1);
  const share = { first, seeds, minutes, failuresMax: Number(values.failures ?? 3) };
  return jobs > 1 ? await inProcesses(jobs, share) : await explore({ ...share, step });
}

/** Each process has every so-many-th seed, and tells of its own. */
async function inProcesses(jobs: number, { first, seeds, minutes, failuresMax }: Share): Promise<boolean> {
  const codes = Array.from({ length: jobs }, async (_, index) => {
    const share = Math.ceil((seeds - index) / jobs);
    const numbers = [`--first=${first + index}`, `--seeds=${share}`, `--step=${jobs}`];
    const until = [`--failures=${failuresMax}`, ...(minutes === undefined ? [] : [`--minutes=${minutes}`])];
    const own = ['e2e/operator-sim.ts', ...numbers, ...until];
    const [code] = await once(spawn(process.execPath, own, { stdio: 'inherit' }), 'exit');
    return code;
  });
  return (await Promise.all(codes)).every((code) => code === 0);
}

async function replay(seed: number): Promise<boolean> {
  const { trace, ...verdict } = await runSeed(seed);
  for (const line of trace) console.log(line);
  console.log(JSON.stringify(verdict, undefined, 2));
  return verdict.violation === undefined;
}

async function explore({ first, seeds, minutes, failuresMax, step }: Options): Promise<boolean> {
  const startMs = Date.now();
  const untilMs = minutes === undefined ? Number.POSITIVE_INFINITY : startMs + minutes * 60_000;
  const progress = new Progress(seeds, minutes);
  const sum = { done: 0, calls: 0, deaths: 0, virtualMs: 0 };
  const failures: Verdict[] = [];
  for (
    let seed = first;
    sum.done < seeds && Date.now() < untilMs && failures.length < failuresMax;
    seed += step
  ) {
    const verdict = await runSeed(seed);
    sum.done++;
    sum.calls += verdict.calls;
    sum.deaths += verdict.deaths;
    sum.virtualMs += verdict.virtualMs;
    if (verdict.violation !== undefined) {
      failures.push(verdict);
      explain(verdict);
    }
    progress.show(sum.done, failures);
  }
  progress.end();
  const { done, calls, deaths, virtualMs } = sum;
  const seconds = ((Date.now() - startMs) / 1000).toFixed(0);
  const { user, system } = process.cpuUsage();
  const cpu = ((user + system) / 1e6).toFixed(0);
  console.log(
    `${done} seeds from ${first}: ${failures.length} failed; ${calls} calls, ${deaths} operators died, ${Math.round(virtualMs / 3_600_000)} h of virtual time; ${seconds} s, ${cpu} s of the processor`,
  );
  return failures.length === 0;
}

function explain({ seed, violation, trace }: Verdict): void {
  console.log(`\nseed ${seed} at commit ${commit()} breaks: ${violation?.check}\n  ${violation?.message}`);
  console.log(`  replay: ./dev.sh sim --operator --seed ${seed}`);
  for (const line of trace.slice(-TRACE_LINES)) console.log(`  ${line.slice(0, 300)}`);
}

/** Each mutant in a process of its own, until a seed fails; then the same seed without it. */
async function mutants(first: number, seeds: number): Promise<boolean> {
  console.log(
    '| mutant | the rule that it breaks | noticed by | seeds until then |\n| --- | --- | --- | --- |',
  );
  let isEachNoticed = true;
  for (const { name, rule, test } of OPERATOR_MUTANTS) {
    if (test !== undefined) {
      const isSeen = passes(test) && !passes(test, name);
      isEachNoticed &&= isSeen;
      console.log(`| ${name} | ${rule} | ${isSeen ? test : `not by ${test}`} | |`);
      continue;
    }
    const { stdout } = spawnSync(
      process.execPath,
      [
        '--import',
        './e2e/sim/load-mutant.ts',
        'e2e/operator-sim.ts',
        `--first=${first}`,
        `--seeds=${seeds}`,
        '--failures=1',
      ],
      { env: { ...process.env, KVORUM_MUTANT: name }, encoding: 'utf8', maxBuffer: 1 << 26 },
    );
    const [, seed, check] = /^seed (\d+) .*breaks: (.*)$/m.exec(stdout) ?? [];
    const isNoticed = seed !== undefined && (await runSeed(Number(seed))).violation === undefined;
    isEachNoticed &&= isNoticed;
    const count = isNoticed ? Number(seed) - first + 1 : '';
    console.log(`| ${name} | ${rule} | ${isNoticed ? check : `nothing in ${seeds} seeds`} | ${count} |`);
  }
  return isEachNoticed;
}

function commit(): string {
  const { stdout } = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  return stdout.trim() || 'unknown';
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(`sim: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
