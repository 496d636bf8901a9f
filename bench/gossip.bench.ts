import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Crash, MeasuredCluster, type Traffic } from './lib/gossip-cluster.ts';
import { measurePatience } from './lib/gossip-patience.ts';
import { drawPlot } from './lib/plot.ts';
import { type Figure, median, report, round } from './lib/report.ts';

/**
 * `./dev.sh bench gossip`: the gossip machines of whole clusters on virtual time, with 1 % loss: when a crash is noticed
 * and by whom, how long news travel, what a member sends; then with 5 % loss and a member that stands still for 2 s,
 * whether anybody is held dead that lives. Virtual times do not depend on the machine. Draws docs/benchmarks/gossip.svg.
 */
const { values: flags } = parseArgs({
  options: { sizes: { type: 'string', default: '5,50,200,1000' }, seed: { type: 'string', default: '1' } },
});
const sizes = flags.sizes.split(',').map(Number);
const seed = Number(flags.seed);
const PLOT_PATH = 'docs/benchmarks/gossip.svg';
const LEAST_MEMBERS_SIMULATED = 2000;

type ClusterFigures = { readonly start: Traffic; readonly quiet: Traffic } & Record<
  | 'firstSuspect'
  | 'firstSuspectWorst'
  | 'firstDead'
  | 'firstDeadWorst'
  | 'allDead'
  | 'allDeadWorst'
  | 'spread'
  | 'spreadAll'
  | 'spreadWorst'
  | 'news'
  | 'newsAll'
  | 'newsWorst',
  number
>;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const seconds = (ms: number): number => round(ms / 1000);
const medianSeconds = (values: readonly number[]): number => seconds(median(values));
const worstSeconds = (values: readonly number[]): number => seconds(Math.max(...values));

function measureSize(size: number): ClusterFigures {
  const startMs = performance.now();
  const events = Math.min(30, Math.max(8, Math.round(LEAST_MEMBERS_SIMULATED / size)));
  const cluster = new MeasuredCluster(size, seed);
  const start = cluster.measureTraffic();
  say(`${size} members: started, ${round(start.packetsPerSecond)} packets per member and second`);
  cluster.network.runFor(size * 450); // news of the start have spread: a packet carries 15 of them
  const quiet = cluster.measureTraffic();
  const crashes: Crash[] = [];
  const news: (readonly number[])[] = [];
  for (let i = 0; i < events; i++) {
    crashes.push(cluster.measureCrash(1 + ((i * 7) % size)));
    news.push(cluster.measureNews(1 + ((i * 11) % size)));
    say(`${size} members: crash ${i + 1} of ${events}, ${seconds(performance.now() - startMs)} s of work`);
  }
  const worstOf = (each: readonly (readonly number[])[]): number[] => each.map((times) => Math.max(...times));
  return {
    start,
    quiet,
    firstSuspect: medianSeconds(crashes.map((one) => one.firstSuspectMs)),
    firstSuspectWorst: worstSeconds(crashes.map((one) => one.firstSuspectMs)),
    firstDead: medianSeconds(crashes.map((one) => one.firstDeadMs)),
    firstDeadWorst: worstSeconds(crashes.map((one) => one.firstDeadMs)),
    allDead: medianSeconds(crashes.map((one) => one.allDeadMs)),
    allDeadWorst: worstSeconds(crashes.map((one) => one.allDeadMs)),
    spread: medianSeconds(crashes.flatMap((one) => one.spreadMs)),
    spreadAll: medianSeconds(worstOf(crashes.map((one) => one.spreadMs))),
    spreadWorst: worstSeconds(crashes.flatMap((one) => one.spreadMs)),
    news: medianSeconds(news.flat()),
    newsAll: medianSeconds(worstOf(news)),
    newsWorst: worstSeconds(news.flat()),
  };
}

function print(results: Record<string, Figure>): void {
  for (const [name, { value, unit }] of Object.entries(results))
    process.stdout.write(`${name.padEnd(36)} ${value} ${unit}\n`);
}

function figuresOf(size: number, figures: ClusterFigures): Record<string, Figure> {
  const { start, quiet, ...times } = figures;
  const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return {
    ...Object.fromEntries(
      Object.entries(times).map(([name, value]) => [`${snake(name)}_${size}`, { value, unit: 's' }]),
    ),
    [`packets_${size}`]: { value: round(quiet.packetsPerSecond), unit: '1/member/s' },
    [`bytes_${size}`]: { value: Math.round(quiet.bytesPerSecond), unit: 'B/member/s as JSON' },
    [`packets_at_start_${size}`]: { value: round(start.packetsPerSecond), unit: '1/member/s' },
    [`bytes_at_start_${size}`]: { value: Math.round(start.bytesPerSecond), unit: 'B/member/s as JSON' },
  };
}

function measureFalseDeaths(): Record<string, Figure> {
  const results: Record<string, Figure> = {};
  for (const size of sizes) {
    const runs = Math.min(100, Math.max(3, Math.round(5000 / size)));
    let [deaths, forgotten, suspicions] = [0, 0, 0];
    for (let run = 1; run <= runs; run++) {
      const one = measurePatience(size, seed * 1000 + run);
      deaths += one.falseDeaths;
      forgotten += one.forgotten;
      suspicions += one.suspicions;
      if (size >= 1000 || run === runs) say(`${size} members, 5 % loss, one pause: run ${run} of ${runs}`);
    }
    results[`runs_5_percent_loss_${size}`] = { value: runs, unit: 'runs of 72 s' };
    results[`false_suspicions_${size}`] = { value: suspicions, unit: 'in all runs' };
    results[`false_deaths_${size}`] = { value: deaths, unit: 'in all runs' };
    results[`false_removals_${size}`] = { value: forgotten, unit: 'in all runs' };
  }
  return results;
}

function draw(bySize: ReadonlyMap<number, ClusterFigures>): void {
  const all = [...bySize.values()];
  const pick = (name: 'firstSuspect' | 'firstDead' | 'allDead' | 'spreadAll' | 'newsAll') =>
    all.map((figures) => figures[name]);
  const svg = drawPlot(
    sizes,
    [
      {
        title: 'Seconds (medians)',
        max: 20,
        series: [
          { label: 'all hold it dead', tone: 1, values: pick('allDead') },
          { label: 'first holds it dead', tone: 3, values: pick('firstDead') },
          { label: 'suspicion is everywhere', tone: 0, values: pick('spreadAll') },
          { label: 'first suspicion', tone: 2, values: pick('firstSuspect') },
        ],
      },
      {
        title: 'Packets that a member sends per second',
        max: 4,
        series: [{ label: 'packets', tone: 0, values: all.map(({ quiet }) => quiet.packetsPerSecond) }],
      },
    ],
    { label: 'Gossip over the size of the cluster', axis: 'members' },
  );
  writeFileSync(PLOT_PATH, svg);
  say(`drew ${PLOT_PATH}`);
}

/** Packets beside the least cluster's: 1 where they stay the same. Dissemination by the logarithm: level where it grows like that. */
function claims(bySize: ReadonlyMap<number, ClusterFigures>): Record<string, number> {
  const ratios: Record<string, number> = {};
  const least = [...bySize.values()][0];
  for (const [size, { quiet, spreadAll, newsAll }] of bySize) {
    ratios[`packets_${size}_to_least`] = round(
      quiet.packetsPerSecond / (least?.quiet.packetsPerSecond ?? Number.NaN),
    );
    ratios[`spread_by_ln_members_${size}`] = round(spreadAll / Math.log(size));
    ratios[`news_by_ln_members_${size}`] = round(newsAll / Math.log(size));
  }
  return ratios;
}

const bySize = new Map<number, ClusterFigures>();
const results: Record<string, Figure> = {};
for (const size of sizes) {
  const figures = measureSize(size);
  bySize.set(size, figures);
  Object.assign(results, figuresOf(size, figures));
}
draw(bySize);
Object.assign(results, measureFalseDeaths());
print(results);
report('gossip', results, claims(bySize));
