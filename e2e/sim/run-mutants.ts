import { MUTANTS } from '../../store/sim/mutants/mutants.ts';
import type { SimOptions } from './options.ts';
import { Pool } from './pool.ts';
import { runSeeds } from './run-seeds.ts';

/** Each mutant, what noticed it and after how many seeds, as the table of docs/testing.md; false where one was missed. */
export async function runMutants(options: SimOptions): Promise<boolean> {
  const { first, seeds, jobs, changes, mutants } = options;
  const chosen = MUTANTS.filter(({ name }) => mutants === '' || mutants === name);
  if (chosen.length === 0)
    throw new Error(`--mutant ${mutants}: there are ${MUTANTS.map(({ name }) => name).join(', ')}`);
  console.log(
    '| mutant | the rule that it breaks | noticed by | seeds until then |\n| --- | --- | --- | --- |',
  );
  let isEachNoticed = true;
  for (const { name, rule } of chosen) {
    using pool = new Pool(jobs, name);
    const range = { first, count: seeds, changes, failuresMax: 1, untilMs: undefined, jobs };
    const tally = await runSeeds(pool, range, () => {});
    const failure = tally.failures[0];
    if (failure === undefined) isEachNoticed = false;
    const noticed = failure?.violation?.check ?? `nothing in ${tally.done} seeds`;
    console.log(
      `| ${name} | ${rule} | ${noticed} | ${failure === undefined ? '' : failure.seed - first + 1} |`,
    );
  }
  return isEachNoticed;
}
