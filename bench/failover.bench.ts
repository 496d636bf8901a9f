import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { measureFailover } from './lib/failover.ts';
import { etcdSystem, kvorumSystem, type StoppableSystem } from './lib/failover-systems.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';

/**
 * `./dev.sh bench failover`: five real nodes and a five-node etcd with the same election timeout and heartbeat; kill -9
 * of the leader, alternating, and the time until a change through a survivor succeeds, asked in the same way.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    nodes: { type: 'string', default: '5' },
    'election-ms': { type: 'string', default: '1000' },
    'heartbeat-ms': { type: 'string', default: '100' },
    only: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const directory = mkdtempSync(`${tmpdir()}/kvorum-failover-`);
const sizes = {
  nodes: Number(flags.nodes),
  electionTimeoutMs: Number(flags['election-ms']),
  heartbeatMs: Number(flags['heartbeat-ms']),
};
const STARTERS = {
  kvorum: () => kvorumSystem({ ...sizes, directory: `${directory}/kvorum` }),
  etcd: () => etcdSystem({ ...sizes, directory: `${directory}/etcd` }),
};

const systems = new Map<string, StoppableSystem>();
const samples = new Map<string, number[]>();
try {
  for (const [name, start] of Object.entries(STARTERS)) {
    if (flags.only !== undefined && flags.only !== name) continue;
    const system = await start();
    if (system !== undefined) systems.set(name, system);
  }
  for (let i = 1; i <= rounds; i++) {
    for (const [name, system] of systems) {
      const elapsedMs = await measureFailover(system);
      samples.set(name, [...(samples.get(name) ?? []), elapsedMs]);
      process.stderr.write(`round ${i} of ${rounds}: ${name} ${Math.round(elapsedMs)} ms\n`);
    }
  }
} finally {
  await Promise.all([...systems.values()].map((system) => system.stop()));
  rmSync(directory, { recursive: true, force: true });
}

process.stdout.write(
  `ms from kill -9 of the leader to the first change through a survivor, ${sizes.nodes} nodes, election timeout ` +
    `${sizes.electionTimeoutMs} ms, heartbeat ${sizes.heartbeatMs} ms, ${rounds} rounds, median (least-greatest)\n`,
);
const results: Record<string, Figure> = {};
for (const [name, values] of samples) {
  process.stdout.write(`${name.padEnd(8)} ${spread(values)}\n`);
  results[`${name}_median`] = { value: Math.round(median(values)), unit: 'ms' };
  results[`${name}_worst`] = { value: Math.round(Math.max(...values)), unit: 'ms' };
}
const [kvorum, etcd] = [samples.get('kvorum'), samples.get('etcd')];
const ratios = kvorum && etcd ? { kvorum_to_etcd: round(median(kvorum) / median(etcd)) } : {};
for (const [name, ratio] of Object.entries(ratios)) process.stdout.write(`${name}: ${ratio}\n`);
report('failover', results, ratios);
