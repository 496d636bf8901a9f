import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { measureClusterUpkeep } from './lib/cluster-upkeep.ts';
import { idleTraffic, putKeys, repairDrift, treesReady, type Verified, verifyAll } from './lib/drift.ts';
import { type IdleCost, measureIdle, NEVER_MS, totalResidentMiB } from './lib/idle-cost.ts';
import { startKvorumCluster } from './lib/kvorum-cluster.ts';
import { measureUpkeep, type UpkeepPair } from './lib/merkle-upkeep.ts';
import { drawPlot } from './lib/plot.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';

/**
 * `./dev.sh bench repair`: what it costs to keep replicas equal, as the data grows. On three real nodes: the traffic of a
 * repair after a part of the keys drifted, memory, and the processor time of an idle cluster with and without comparisons;
 * in this process: the upkeep of Merkle trees by writes.
 */
const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    step: { type: 'string', default: '100' },
    repairs: { type: 'string', default: '3' },
    'idle-rounds': { type: 'string', default: '3' },
    'idle-seconds': { type: 'string', default: '60' },
    'upkeep-rounds': { type: 'string', default: '20' },
    'upkeep-seconds': { type: 'string', default: '3' },
    plot: { type: 'string' },
  },
});
const sizes = flags.sizes.split(',').map(Number);
const step = Number(flags.step);
const VALUE = 'v'.repeat(256);
const results: Record<string, Figure> = {};
const ratios: Record<string, number> = {};
const note = (text: string): void => void process.stderr.write(`${text}\n`);

type Grown = {
  readonly keys: number;
  /** A verification that found nothing to do, before each repair. */
  readonly proofs: readonly Verified[];
  readonly repairs: readonly Verified[];
  readonly emptyMiB: number;
  readonly fullMiB: number;
  readonly idle: readonly IdleCost[];
};

async function grow(keys: number): Promise<Grown> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-repair-`);
  const settings = { 'hints.bytesMax': 0, 'antiEntropy.intervalMs': NEVER_MS };
  const cluster = await startKvorumCluster({
    ...{ nodes: 3, electionTimeoutMs: 1000, heartbeatMs: 100, directory, settings },
  });
  try {
    await cluster.allServe();
    await treesReady(cluster);
    const emptyMiB = totalResidentMiB(cluster);
    note(`${keys} keys: importing, ${Math.round(emptyMiB)} MiB resident`);
    await putKeys(cluster, { keys, step: 1, value: VALUE, targets: [0, 1, 2] });
    await verifyAll(cluster);
    const fullMiB = totalResidentMiB(cluster);
    note(`${keys} keys: equal, ${Math.round(fullMiB)} MiB resident`);
    const proofs: Verified[] = [];
    const repairs: Verified[] = [];
    for (let i = 0; i < Number(flags.repairs); i++) {
      proofs.push(await verifyAll(cluster, await idleTraffic(cluster)));
      note(`${keys} keys, proof: ${JSON.stringify(proofs.at(-1))}`);
      repairs.push(await repairDrift(cluster, { keys, step }));
      note(`${keys} keys, repair: ${JSON.stringify(repairs.at(-1))}`);
    }
    // Last: it leaves nodes that compare nothing.
    const idle: IdleCost[] = [];
    const isLargest = keys === Math.max(...sizes);
    for (let i = 0; isLargest && i < Number(flags['idle-rounds']); i++) {
      idle.push(await measureIdle(cluster, Number(flags['idle-seconds'])));
      note(`idle, percent of a core and MiB: ${JSON.stringify(idle.at(-1))}`);
    }
    return { keys, proofs, repairs, emptyMiB, fullMiB, idle };
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Bytes for each key that drifted: what a repair sends more than the proof that nothing differs. */
function perKey({ keys, proofs, repairs }: Grown, pick: (one: Verified) => number): readonly number[] {
  const drifted = Math.ceil(keys / step);
  return repairs.map((repair, i) => (pick(repair) - pick(proofs[i] as Verified)) / drifted);
}

function tellRepairs(one: Grown): void {
  const { keys, proofs, repairs } = one;
  if (repairs.length === 0) return;
  const counted = perKey(one, ({ countedBytes }) => countedBytes);
  const wire = perKey(one, ({ wireBytes }) => wireBytes);
  const records = perKey(one, ({ recordBytes }) => recordBytes);
  const proof = proofs.map(({ wireBytes }) => wireBytes);
  const seconds = repairs.map((repair) => repair.seconds);
  process.stdout.write(
    `${String(keys).padStart(9)} keys, ${Math.ceil(keys / step)} drifted, bytes a key: ${spread(counted)} counted, ` +
      `${spread(wire)} on the wire, ${spread(records)} of records; a proof without drift ${spread(proof)} on the wire; ` +
      `a repair takes ${round(median(seconds), 1)} s\n`,
  );
  results[`repair_${keys}_counted`] = { value: Math.round(median(counted)), unit: 'B/key' };
  results[`repair_${keys}_wire`] = { value: Math.round(median(wire)), unit: 'B/key' };
  results[`repair_${keys}_records`] = { value: Math.round(median(records)), unit: 'B/key' };
  results[`proof_${keys}_wire`] = { value: Math.round(median(proof)), unit: 'B' };
  results[`repair_${keys}_seconds`] = { value: round(median(seconds), 1), unit: 's' };
}

function tellMemory({ keys, emptyMiB, fullMiB }: Grown): void {
  const perNode = (fullMiB - emptyMiB) / 3;
  process.stdout.write(
    `${String(keys).padStart(9)} keys on each of 3 nodes: ${Math.round(emptyMiB)} MiB resident in all when empty, ` +
      `${Math.round(fullMiB)} with the keys, ${Math.round(perNode)} more for each node\n`,
  );
  results[`resident_${keys}_empty`] = { value: Math.round(emptyMiB), unit: 'MiB' };
  results[`resident_${keys}_full`] = { value: Math.round(fullMiB), unit: 'MiB' };
}

function tellIdle({ keys, idle }: Grown): void {
  if (idle.length === 0) return;
  const range = (values: readonly number[]): string =>
    `${round(median(values))} (${round(Math.min(...values))} to ${round(Math.max(...values))})`;
  const differences = idle.map(({ percentOn, percentOff }) => percentOn - percentOff);
  process.stdout.write(
    `idle with ${keys} keys, percent of a core, 3 nodes together: ${range(idle.map((one) => one.percentOn))}, without ` +
      `comparisons ${range(idle.map((one) => one.percentOff))}, so anti-entropy takes ${range(differences)}; after a start ` +
      `${range(idle.map((one) => one.residentMiB))} MiB resident in all\n`,
  );
  results.idle_anti_entropy = { value: round(median(differences)), unit: '% of a core' };
  results.idle_all = { value: round(median(idle.map((one) => one.percentOn))), unit: '% of a core' };
  results.resident_after_start = {
    value: Math.round(median(idle.map((one) => one.residentMiB))),
    unit: 'MiB',
  };
}

async function tellUpkeep(): Promise<void> {
  const [rounds, seconds] = [Number(flags['upkeep-rounds']), Number(flags['upkeep-seconds'])];
  const directory = mkdtempSync(`${tmpdir()}/kvorum-upkeep-`);
  const options = { directory, rounds: 4 * rounds, seconds: seconds / 10, inFlight: 64, keys: 50_000 };
  const alone = await measureUpkeep(options);
  rmSync(directory, { recursive: true, force: true });
  tellPairs('store', 'stores on one replica in this process, its main thread', alone);
  tellPairs(
    'put',
    'puts on three nodes, all their threads',
    await measureClusterUpkeep({ rounds, seconds, keys: 50_000 }),
  );
}

function tellPairs(name: string, what: string, pairs: readonly UpkeepPair[]): void {
  if (pairs.length === 0) return;
  const of = (values: readonly number[]): string => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (share: number): number => round(sorted[Math.round(share * (sorted.length - 1))] as number);
    return `${at(0.5)} (quartiles ${at(0.25)} and ${at(0.75)})`;
  };
  const rate = pairs.map(({ on, off }) => (on.perSecond / off.perSecond - 1) * 100);
  const more = pairs.map(({ on, off }) => on.cpuUs - off.cpuUs);
  const off = pairs.map((pair) => pair.off.cpuUs);
  process.stdout.write(
    `${what}: ${of(off)} us of the processor each without trees, ${of(more)} us more with them; a second ` +
      `${spread(pairs.map(({ on }) => on.perSecond))} with, ${of(rate)} % more than without\n`,
  );
  results[`${name}_cpu_without_trees`] = { value: round(median(off)), unit: 'us' };
  results[`${name}_cpu_of_trees`] = { value: round(median(more)), unit: 'us' };
  ratios[`${name}_rate_trees`] = round(1 + median(rate) / 100, 3);
  ratios[`${name}_cpu_trees`] = round(1 + median(more) / median(off), 3);
}

function draw(grown: readonly Grown[], file: string): void {
  const bytes = (pick: (one: Verified) => number) =>
    grown.map((one) => Math.round(median(perKey(one, pick))));
  const memory = (pick: (one: Grown) => number) => grown.map((one) => Math.round(pick(one) / 3));
  const ceiling = (values: readonly number[], unit: number): number =>
    Math.ceil(Math.max(...values) / unit) * unit;
  const wire = bytes(({ wireBytes }) => wireBytes);
  const full = memory(({ fullMiB }) => fullMiB);
  const panels = [
    {
      title: 'Bytes for each key that drifted',
      max: ceiling(wire, 400),
      series: [
        { label: 'between nodes', tone: 0, values: wire },
        { label: 'of these records', tone: 1, values: bytes(({ recordBytes }) => recordBytes) },
      ],
    },
    {
      title: 'Resident memory of a node, MiB',
      max: ceiling(full, 200),
      series: [
        { label: 'with the keys', tone: 2, values: full },
        { label: 'empty', tone: 3, values: memory(({ emptyMiB }) => emptyMiB) },
      ],
    },
  ];
  mkdirSync('docs/benchmarks', { recursive: true });
  writeFileSync(
    file,
    drawPlot(sizes, panels, { label: 'Repair and memory over the number of keys', axis: 'keys' }),
  );
}

const grown: Grown[] = [];
for (const keys of sizes.filter((size) => size > 0)) grown.push(await grow(keys));
process.stdout.write(
  `3 nodes, 256-byte values; each ${step}th key drifted on one node, ${flags.repairs} times; idle: ${flags['idle-rounds']} ` +
    `times ${flags['idle-seconds']} s; upkeep: ${flags['upkeep-rounds']} pairs of ${flags['upkeep-seconds']} s; median (least-greatest)\n`,
);
for (const one of grown) tellRepairs(one);
for (const one of grown) tellMemory(one);
for (const one of grown) tellIdle(one);
await tellUpkeep();
if (flags.plot !== undefined) draw(grown, flags.plot);
report('repair', results, ratios);
