import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { Kind } from './lib/budget/resp-load.ts';
import { type Figure, report, round } from './lib/report.ts';
import { backgroundOf } from './lib/scale/background.ts';
import { fitCosts } from './lib/scale/costs.ts';
import { onPaper } from './lib/scale/formula.ts';
import { drawScale, type Measured, type Row, scalePage } from './lib/scale/page.ts';
import { predictReal } from './lib/scale/predict.ts';
import { measureReal } from './lib/scale/real.ts';
import { type ScaleOptions, simulate } from './lib/scale/simulate.ts';
import { WholeNodes } from './lib/scale/whole-nodes.ts';

/**
 * `./dev.sh bench scale-out`: throughput of a node in clusters of 3 to 100, on paper and simulated, with costs measured on three real nodes
 * (--measure measures them anew), beside what 3 and 5 real nodes give here. --write puts page and plot into docs.
 */
const { values: flags } = parseArgs({
  options: {
    measure: { type: 'boolean', default: false },
    sizes: { type: 'string', default: '3,5,10,20,50,100' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '2' },
    clients: { type: 'string', default: '64' },
    write: { type: 'boolean', default: false },
  },
});
const COSTS_FILE = 'docs/performance/costs.json';
const PAGE_FILE = 'docs/scale-out.md';
const PLOT_FILE = 'docs/performance/scale-out.svg';
const FITTED_NODES = 3;
const FITTED_CONNECTIONS = [3, 12, 64, 256];
const FORETOLD_NODES = 5;
const FORETOLD_CONNECTIONS = [64, 256];
/** One way, between two machines of a data centre. */
const NETWORK_MICROS = 50;
const sizes = flags.sizes.split(',').map(Number);

async function measure(): Promise<Measured> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-scale-`);
  try {
    const common = { seconds: Number(flags.seconds), rounds: Number(flags.rounds) };
    const three = await measureReal({
      ...common,
      nodes: FITTED_NODES,
      connections: FITTED_CONNECTIONS,
      directory: `${directory}/three`,
    });
    const five = await measureReal({
      ...common,
      nodes: FORETOLD_NODES,
      connections: FORETOLD_CONNECTIONS,
      directory: `${directory}/five`,
    });
    return {
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}`,
      cores: cpus().length,
      costs: fitCosts(three.loads, three),
      loads: [...three.loads, ...five.loads],
      idleMicros: { 3: three.idleMicros, 5: five.idleMicros },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function simulateAll({ costs }: Measured): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const three = await countOf(3);
  for (const nodes of sizes) {
    process.stderr.write(`${nodes} nodes\n`);
    const count = nodes === 3 ? three : await countOf(nodes);
    const background = backgroundOf(count.background, three.background, costs);
    for (const kind of ['puts', 'gets'] as const)
      for (const routing of ['any node', 'owner'] as const) {
        const options = optionsOf(nodes, kind, routing, background);
        rows.push({ options, count, simulated: simulate(options, costs), paper: onPaper(options, costs) });
      }
  }
  return rows;
}

async function countOf(nodes: number): Promise<Row['count']> {
  const whole = new WholeNodes(nodes);
  await whole.start();
  const background = await whole.countBackground();
  const operations = await whole.countOperations();
  await whole.stop();
  return { background, operations };
}

function optionsOf(
  nodes: number,
  kind: Kind,
  routing: ScaleOptions['routing'],
  background: ScaleOptions['background'],
): ScaleOptions {
  return {
    ...{ nodes, kind, routing, background },
    clientsPerNode: Number(flags.clients),
    cores: { type: 'own', perNode: 2 },
    networkMicros: NETWORK_MICROS,
    warmUpMicros: 100_000,
    measuredMicros: 300_000,
    seed: 1,
  };
}

function figures(rows: readonly Row[]): Record<string, Figure> {
  const results: Record<string, Figure> = {};
  for (const { options, simulated } of rows) {
    const { nodes, kind, routing } = options;
    const name = `${kind}_${routing.replace(' ', '_')}_${nodes}`;
    results[name] = { value: Math.round(simulated.perNode), unit: '1/s' };
  }
  return results;
}

const measured = flags.measure ? await measure() : (JSON.parse(readFileSync(COSTS_FILE, 'utf8')) as Measured);
if (flags.measure) writeFileSync(COSTS_FILE, `${JSON.stringify(measured, undefined, 2)}\n`);
const rows = await simulateAll(measured);
const predictions = predictReal(measured);
const page = scalePage(measured, rows, predictions);
process.stdout.write(page);
if (flags.write) {
  writeFileSync(PAGE_FILE, page);
  writeFileSync(PLOT_FILE, drawScale(rows));
}
const ratios = predictions.map(({ load, ratio }) => [
  `${load.kind}_${load.nodes}_${load.connections}`,
  round(ratio),
]);
report('scale-out', figures(rows), Object.fromEntries(ratios));
