import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { resultTable } from './result-table.ts';
import { RESULTS, removeLeftovers, type ScenarioResult } from './scenario.ts';

/**
 * `run-scenarios.ts [NAME...] [--keep] [--table]` runs scenarios one after the other, each in a process of its own, and prints what came of
 * them; --table puts that, with what earlier runs left, into docs/e2e.md.
 */

const SCENARIOS = `${import.meta.dirname}/scenarios`;
const PAGE = `${import.meta.dirname}/../../docs/e2e.md`;
const [BEGIN, END] = ['<!-- results -->', '<!-- end of results -->'];
const SCENARIO_LIMIT_MS = 15 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { keep: { type: 'boolean' }, table: { type: 'boolean' } },
});
const known = (await readdir(SCENARIOS))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`e2e: there is no scenario ${unknown.join(', ')}; name some of ${known.join(', ')}\n`);
  process.exit(2);
}
await mkdir(RESULTS, { recursive: true });
await removeLeftovers();
const names = positionals.length > 0 ? positionals : known.toSorted();
const failed: string[] = [];
for (const name of names) {
  await rm(resultFile(name), { force: true });
  if ((await run(name)) !== 0) failed.push(name);
}
const results = await resultsOf(names);
process.stdout.write(`\n${resultTable(results)}`);
if (values.table === true) await writePage(await resultsOf(known.toSorted()));
if (failed.length > 0) process.stdout.write(`\nFAILED: ${failed.join(', ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function run(name: string): Promise<number | undefined> {
  const options = values.keep === true ? ['--keep'] : [];
  const child = spawn(process.execPath, [`${SCENARIOS}/${name}.ts`, ...options], {
    stdio: 'inherit',
    timeout: SCENARIO_LIMIT_MS,
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? undefined;
}

function resultFile(name: string): string {
  return `${RESULTS}/${name}.json`;
}

/** Of those that left one. */
async function resultsOf(of: readonly string[]): Promise<readonly ScenarioResult[]> {
  const found: ScenarioResult[] = [];
  for (const name of of) {
    const text = await readFile(resultFile(name), 'utf8').catch(() => undefined);
    if (text !== undefined) found.push(JSON.parse(text) as ScenarioResult);
  }
  return found;
}

async function writePage(of: readonly ScenarioResult[]): Promise<void> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const date = new Date().toISOString().slice(0, 10);
  const cores = availableParallelism();
  const made = `Made by \`./dev.sh e2e --table\` at ${commit} on ${date}, on ${cores} cores.`;
  const page = await readFile(PAGE, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`docs/e2e.md needs ${BEGIN} and ${END}`);
  const text = `${page.slice(0, before)}${BEGIN}\n${made}\n\n${resultTable(of)}${page.slice(after)}`;
  await writeFile(PAGE, text);
  process.stdout.write('docs/e2e.md has the new table\n');
}
