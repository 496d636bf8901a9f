import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { bareFsync } from './lib/budget/bare-fsync.ts';
import { type LoadCost, measureLoad, measureWay, type WayCost } from './lib/budget/measure.ts';
import { budgetPage, summaryOf } from './lib/budget/page.ts';
import { fill, type Kind, respPortsOf } from './lib/budget/resp-load.ts';
import { callTree, toSvg } from './lib/flame-graph.ts';
import { startKvorumCluster } from './lib/kvorum-cluster.ts';
import { type Figure, quantile, report, round } from './lib/report.ts';

/**
 * `./dev.sh bench budget`: where the microseconds of a put and a get go, from socket to socket, over RESP on three real nodes: the way of one
 * that is alone, leg by leg, and the processor time of many by thread and stage. --write puts page and flame graphs into docs/performance.
 */
const { values: flags } = parseArgs({
  options: {
    connections: { type: 'string', default: '1,64' },
    kinds: { type: 'string', default: 'puts,gets' },
    seconds: { type: 'string', default: '5' },
    operations: { type: 'string', default: '2000' },
    write: { type: 'boolean', default: false },
  },
});
const NODES = 3;
const WARM_UP_SECONDS = 3;
const DIRECTORY = 'docs/performance';
const seconds = Number(flags.seconds);
const times = { seconds, warmUpSeconds: WARM_UP_SECONDS, profileSeconds: seconds };
const kinds = flags.kinds.split(',') as Kind[];
const wrong = kinds.find((kind) => !['puts', 'gets'].includes(kind));
if (wrong !== undefined) throw new RangeError(`--kinds takes puts and gets, not ${wrong}`);

const loads: LoadCost[] = [];
const ways: WayCost[] = [];

async function measureAll(directory: string): Promise<void> {
  const cluster = await startKvorumCluster({
    nodes: NODES,
    electionTimeoutMs: 1000,
    heartbeatMs: 100,
    directory,
    environment: { NODE_OPTIONS: '--inspect=127.0.0.1:0' },
  });
  try {
    await cluster.allServe();
    const ports = await respPortsOf(cluster);
    await fill(ports);
    for (const connections of flags.connections.split(',').map(Number))
      for (const kind of kinds) {
        process.stderr.write(`${kind} at ${connections}\n`);
        loads.push(await measureLoad(cluster, ports, { kind, connections }, times));
      }
    // Last: what a probe has watched once stays a little slower.
    for (const kind of kinds) {
      process.stderr.write(`${kind}, one after the other\n`);
      ways.push(await measureWay(cluster, ports, kind, Number(flags.operations)));
    }
  } finally {
    await cluster.stop();
  }
}

function figures(): Record<string, Figure> {
  const results: Record<string, Figure> = {};
  for (const load of loads) {
    const { rate, micros } = summaryOf(load);
    results[`${load.kind}_${load.connections}`] = { value: Math.round(rate), unit: '1/s' };
    results[`${load.kind}_${load.connections}_cpu`] = { value: round(micros, 1), unit: 'us' };
  }
  for (const { kind, bareMicros } of ways)
    results[`${kind}_alone_p50`] = { value: round(quantile(bareMicros, 0.5), 1), unit: 'us' };
  return results;
}

function writePage(page: string): void {
  writeFileSync(`${DIRECTORY}/README.md`, page);
  for (const { kind, connections, profiles } of loads) {
    const title = `${kind} over RESP at ${connections} connections: main thread of one node of three`;
    const root = callTree(profiles[0] as LoadCost['profiles'][number]);
    writeFileSync(`${DIRECTORY}/${kind}-${connections}.svg`, toSvg(root, title));
  }
}

const directory = mkdtempSync(`${tmpdir()}/kvorum-budget-`);
let bareFsyncMicros: readonly number[] = [];
try {
  await measureAll(directory);
  bareFsyncMicros = bareFsync(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const page = budgetPage(loads, ways, bareFsyncMicros);
process.stdout.write(page);
if (flags.write) writePage(page);
report('budget', figures(), {});
