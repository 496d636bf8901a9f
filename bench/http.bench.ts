import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { ensureDebianPackage } from '../e2e/lib/debian.ts';
import { freePort, ServerProcess } from '../e2e/lib/server-process.ts';
import {
  buildGo,
  measureEtcd,
  measureRedis,
  type Peer,
  type PeerRates,
  startBareExpress,
  startEtcd,
  startRedis,
} from './lib/peers.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';

/**
 * `./dev.sh bench http`: GET and durable PUT of 256 bytes over 64 connections, a node beside a bare express server with
 * the same routes that only answers, alternating; redis-server (appendfsync always) and a one-node etcd for reference.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    'no-peers': { type: 'boolean', default: false },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const KEYS = 10_000;

ensureDebianPackage('wrk', '/usr/bin/wrk');
const directory = mkdtempSync(`${tmpdir()}/kvorum-bench-`);
const script = (method: 'GET' | 'PUT'): string => {
  const path = `${directory}/${method}.lua`;
  const body = method === 'PUT' ? "string.rep('x', 256)" : 'nil';
  writeFileSync(
    path,
    `local body = ${body}\nrequest = function() return wrk.format('${method}', '/v1/kv/default/key-' .. math.random(${KEYS}), nil, body) end\n`,
  );
  return path;
};
const scripts = { GET: script('GET'), PUT: script('PUT') };

/** Requests a second; throws where any answer was not a success. */
function wrk(port: number, method: 'GET' | 'PUT'): number {
  const args = ['-t1', '-c64', `-d${seconds}s`, '-s', scripts[method], `http://127.0.0.1:${port}`];
  const output = execFileSync('wrk', args, { encoding: 'utf8' });
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk saw errors:\n${output}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
}

async function fill(url: string): Promise<void> {
  for (let from = 1; from <= KEYS; from += 500) {
    const operations = Array.from({ length: 500 }, (_, i) => ({
      op: 'put',
      key: `key-${from + i}`,
      value: 'x'.repeat(256),
    }));
    const answer = await fetch(`${url}/v1/kv/default:batch`, {
      method: 'POST',
      body: JSON.stringify({ operations }),
      headers: { 'content-type': 'application/json' },
    });
    if (!answer.ok) throw new Error(`filling answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

const samples: Record<string, number[]> = {};
const sample = (name: string, value: number): void => {
  samples[name] = [...(samples[name] ?? []), value];
};
const peers: { name: string; measure: () => PeerRates; peer: Peer }[] = [];
const node = await ServerProcess.start({
  directory: `${directory}/node`,
  port: await freePort(),
  settings: { 'log.level': 'warn' },
});
const bare = await startBareExpress(await freePort());
try {
  await fill(node.url);
  if (!flags['no-peers']) {
    const redis = await startRedis(await freePort(), `${directory}/redis`);
    peers.push({ name: 'redis', peer: redis, measure: () => measureRedis(redis, seconds) });
    const binary = buildGo('etcd', `${directory}/etcd-bench`);
    if (binary !== undefined) {
      const etcd = await startEtcd(binary, await freePort(), `${directory}/etcd`);
      peers.push({ name: 'etcd', peer: etcd, measure: () => measureEtcd(binary, etcd, seconds) });
    }
  }
  const nodePort = Number(new URL(node.url).port);
  for (let i = 1; i <= rounds; i++) {
    process.stderr.write(`round ${i} of ${rounds}\n`);
    for (const method of ['GET', 'PUT'] as const) {
      sample(`kvorum ${method}`, wrk(nodePort, method));
      sample(`express ${method}`, wrk(bare.port, method));
    }
    for (const { name, measure } of peers) {
      const { puts, gets } = measure();
      sample(`${name} GET`, gets);
      sample(`${name} PUT`, puts);
    }
  }
} finally {
  await node.stop();
  await bare.close();
  for (const { peer } of peers) await peer.close();
  rmSync(directory, { recursive: true, force: true });
}

process.stdout.write(
  `requests a second, 64 connections, 256-byte values, ${KEYS} keys, ${rounds} rounds of ${seconds} s, median (least-greatest)\n`,
);
const results: Record<string, Figure> = {};
for (const [name, values] of Object.entries(samples)) {
  process.stdout.write(`${name.padEnd(12)} ${spread(values)}\n`);
  results[name.toLowerCase().replace(' ', '_')] = { value: Math.round(median(values)), unit: '1/s' };
}
const ratio = (method: string): number =>
  round(
    median(
      (samples[`kvorum ${method}`] as number[]).map(
        (value, i) => value / (samples[`express ${method}`]?.[i] as number),
      ),
    ),
  );
const ratios = { get_to_express: ratio('GET'), put_to_express: ratio('PUT') };
process.stdout.write(`of bare express: GET ${ratios.get_to_express}, durable PUT ${ratios.put_to_express}\n`);
report('http', results, ratios);
