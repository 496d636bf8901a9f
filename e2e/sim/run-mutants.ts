import type { Mutant } from '../../store/sim/mutants/mutant.ts';
import { MUTANT_GROUPS, MUTANTS } from '../../store/sim/mutants/mutants.ts';
import type { Verdict } from '../../store/sim/world/run.ts';
import type { SimOptions } from './options.ts';
import { Pool } from './pool.ts';
import { runSeeds } from './run-seeds.ts';
import { passes } from './test-mutant.ts';

/** Each mutant, what noticed it and after how many seeds, as the table of docs/testing.md; false where one was missed. */
export async function runMutants(options: SimOptions): Promise<boolean> {
  const { first, seeds, mutants } = options;
  const chosen = mutantsOf(mutants ?? '');
  console.log(
    '| mutant | the rule that it breaks | noticed by | seeds until then |\n| --- | --- | --- | --- |',
  );
  using unchanged = new Pool(1);
  let isEachNoticed = true;
  for (const { name, rule, test } of chosen) {
    if (test !== undefined) {
      const isNoticed = passes(test) && !passes(test, name);
      isEachNoticed &&= isNoticed;
      console.log(`| ${name} | ${rule} | ${isNoticed ? test : `not by ${test}`} | |`);
      continue;
    }
    const failure = await findFailure(name, options, unchanged);
    if (failure === undefined) isEachNoticed = false;
    const noticed = failure?.violation?.check ?? `nothing in ${seeds} seeds`;
    console.log(
      `| ${name} | ${rule} | ${noticed} | ${failure === undefined ? '' : failure.seed - first + 1} |`,
    );
  }
  return isEachNoticed;
}

/** Those of a group, the one of that name, or all whose names have `filter` as a part. */
function mutantsOf(filter: string): readonly Mutant[] {
  const exact = MUTANT_GROUPS.get(filter) ?? MUTANTS.filter(({ name }) => name === filter);
  const chosen = exact.length > 0 ? exact : MUTANTS.filter(({ name }) => name.includes(filter));
  if (chosen.length > 0) return chosen;
  const groups = [...MUTANT_GROUPS.keys()].join(', ');
  const names = MUTANTS.map(({ name }) => name).join(', ');
  throw new Error(`no mutant's name contains "${filter}": there are the groups ${groups}, and ${names}`);
}

/** The first seed that fails with the mutant and not without it. */
async function findFailure(name: string, options: SimOptions, unchanged: Pool): Promise<Verdict | undefined> {
  const { seeds, jobs, changes } = options;
  using pool = new Pool(jobs, name);
  const end = options.first + seeds;
  for (let first = options.first; first < end; ) {
    const range = { first, count: end - first, changes, failuresMax: 1, untilMs: undefined, jobs };
    const { failures } = await runSeeds(pool, range, () => {});
    for (const failure of failures) {
      const result = await unchanged.do({ type: 'run', seed: failure.seed, changes });
      if (result.type === 'ran' && result.verdict.result !== 'violation') return failure;
    }
    first = (failures.at(-1)?.seed ?? end) + 1;
  }
  return undefined;
}
