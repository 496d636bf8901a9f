import { parseArgs } from 'node:util';
import type { ReplicaRequest } from '../store/peer/replica-messages.ts';
import { LinkPair } from './lib/link-pair.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';

/**
 * `./dev.sh bench replica-links`: requests for keys between two nodes in one process, over TCP on loopback, with a replica
 * that answers at once: what the way to a replica costs, both ends of it, before any storage.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    'in-flight': { type: 'string', default: '1,64,256,1024' },
    'record-bytes': { type: 'string', default: '256' },
    defer: { type: 'string', default: 'turn' },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const inFlight = flags['in-flight'].split(',').map(Number);

const KINDS: Readonly<Record<string, (request: ReplicaRequest) => ReplicaRequest>> = {
  ask: (request) => request,
  store: (request) => ({
    ...request,
    body: {
      type: 'store',
      origin: 'write',
      record: new Uint8Array(Number(flags['record-bytes'])),
      sourceWatermark: undefined,
    },
  }),
};

const samples = new Map<string, number[]>();
const sample = (name: string, value: number): void => {
  samples.set(name, [...(samples.get(name) ?? []), value]);
};

const pair = await LinkPair.start({ defer: flags.defer === 'microtask' ? queueMicrotask : setImmediate });
try {
  for (const [kind, make] of Object.entries(KINDS)) {
    for (const count of inFlight) {
      await pair.load(make, count, 0.5);
      for (let i = 0; i < rounds; i++) {
        const { requests, frames, cpuSeconds } = await pair.load(make, count, seconds);
        sample(`${kind}_${count}`, requests / seconds);
        sample(`${kind}_${count}_per_frame`, requests / frames);
        sample(`${kind}_${count}_cpu_us`, (cpuSeconds * 1e6) / requests);
      }
    }
  }
} finally {
  await pair.close();
}

process.stdout.write(
  `round trips a second between two nodes of one process, ${rounds} rounds of ${seconds} s, median (least-greatest); ` +
    `stores carry ${flags['record-bytes']} bytes; the turn ends with a ${flags.defer === 'microtask' ? 'microtask' : 'turn of the loop'}\n`,
);
const results: Record<string, Figure> = {};
for (const [name, values] of samples) {
  const isRate = !name.endsWith('_us') && !name.endsWith('_frame');
  const figures = isRate ? spread(values) : String(round(median(values), 1));
  process.stdout.write(`${name.padEnd(24)} ${figures}\n`);
  const unit = name.endsWith('_us') ? 'us' : name.endsWith('_frame') ? 'requests' : '1/s';
  results[name] = { value: Number(median(values).toFixed(1)), unit };
}
report('replica-links', results, {});
