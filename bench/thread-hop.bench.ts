import { parseArgs } from 'node:util';
import { type Figure, median, report, round } from './lib/report.ts';
import { ThreadHop } from './lib/thread-hop.ts';

/**
 * `./dev.sh bench thread-hop`: what it costs to hand requests to another thread of the process and to take its answers, by how many
 * travel together; docs/adr/0012 weighs it against the work that could be handed over.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    batches: { type: 'string', default: '1,4,16,64' },
    'request-bytes': { type: 'string', default: '400' },
  },
});
const WARM_UP_SECONDS = 0.5;
const batches = flags.batches.split(',').map(Number);
const bytes = Number(flags['request-bytes']);
const samples = new Map<string, number[]>();
const sample = (name: string, value: number): void => {
  samples.set(name, [...(samples.get(name) ?? []), value]);
};

const hop = new ThreadHop();
try {
  await hop.load(16, bytes, WARM_UP_SECONDS);
  for (let i = 0; i < Number(flags.rounds); i++) {
    for (const batch of batches) {
      const { requests, askerSeconds, allSeconds, p50Us } = await hop.load(
        batch,
        bytes,
        Number(flags.seconds),
      );
      sample(`asker_${batch}`, (1e6 * askerSeconds) / requests);
      sample(`both_${batch}`, (1e6 * allSeconds) / requests);
      sample(`there_and_back_${batch}`, p50Us);
    }
  }
} finally {
  await hop.close();
}

process.stdout.write(
  `us of processor a request (asker, both threads) and us there and back (p50), median of ${flags.rounds}\n`,
);
const results: Record<string, Figure> = {};
for (const [name, values] of samples) {
  results[name] = { value: round(median(values), 1), unit: 'us' };
  process.stdout.write(`${name.padEnd(24)} ${round(median(values), 1)}\n`);
}
report('thread-hop', results, {});
