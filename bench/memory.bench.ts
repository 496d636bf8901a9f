import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { freePort, ServerProcess } from '../e2e/lib/server-process.ts';
import { type Figure, report, round } from './lib/report.ts';

/**
 * `./dev.sh bench memory`: resident memory of a node after the import of a million records of 256 bytes and while
 * all of it is exported, and the time in which that store opens again.
 */
const { values: flags } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, engine: { type: 'string', default: 'auto' } },
});
const records = Number(flags.records);
const BATCH = 500;
const directory = mkdtempSync(`${tmpdir()}/kvorum-bench-`);
const options = { directory, port: await freePort(), settings: { 'storage.engine': flags.engine } };
let server = await ServerProcess.start(options);
const results: Record<string, Figure> = {};
const MIB = 1 << 20;

function residentMiB(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Math.round((Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / MIB);
}

async function importRecords(): Promise<void> {
  const pool = new Pool(server.url, { connections: 4 });
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < records) {
      const from = next;
      next += BATCH;
      const operations = Array.from({ length: Math.min(BATCH, records - from) }, (_, i) => ({
        op: 'put',
        key: `record-${String(from + i).padStart(9, '0')}`,
        value: 'v'.repeat(256),
      }));
      const answer = await pool.request({
        method: 'POST',
        path: '/v1/kv/default:batch',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ operations }),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200)
        throw new Error(`a batch was answered ${answer.statusCode}: ${text.slice(0, 300)}`);
      if (from % 100_000 === 0)
        process.stderr.write(`imported ${from} records, ${residentMiB('VmRSS')} MiB resident\n`);
    }
  };
  await Promise.all(Array.from({ length: 4 }, loop));
  await pool.close();
}

/** Streams everything; the greatest resident memory seen on the way. */
async function exportRecords(): Promise<{ lines: number; greatestMiB: number }> {
  const pool = new Pool(server.url);
  const answer = await pool.request({ method: 'GET', path: '/v1/kv/default?format=ndjson' });
  let lines = 0;
  let greatestMiB = 0;
  let chunks = 0;
  for await (const chunk of answer.body) {
    for (const byte of chunk as Buffer) if (byte === 10) lines += 1;
    if (chunks++ % 100 === 0) greatestMiB = Math.max(greatestMiB, residentMiB('VmRSS'));
  }
  await pool.close();
  return { lines, greatestMiB };
}

try {
  const importStart = performance.now();
  await importRecords();
  results.import_seconds = { value: round((performance.now() - importStart) / 1000), unit: 's' };
  results.resident_after_import = { value: residentMiB('VmRSS'), unit: 'MiB' };
  results.resident_peak_import = { value: residentMiB('VmHWM'), unit: 'MiB' };
  const exportStart = performance.now();
  const { lines, greatestMiB } = await exportRecords();
  if (lines !== records) throw new Error(`exported ${lines} of ${records} records`);
  results.export_seconds = { value: round((performance.now() - exportStart) / 1000), unit: 's' };
  results.resident_while_exporting = { value: greatestMiB, unit: 'MiB' };
  await server.kill();
  server = await ServerProcess.start(options);
  const opened = readFileSync(`${directory}/node.log`, 'utf8')
    .trim()
    .split('\n')
    .findLast((line) => line.includes('openedInMs'));
  results.open_after_kill = {
    value: (JSON.parse(opened as string) as { openedInMs: number }).openedInMs,
    unit: 'ms',
  };
} finally {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
}
process.stdout.write(`${records} records of 256 bytes\n`);
for (const [name, { value, unit }] of Object.entries(results))
  process.stdout.write(`${name.padEnd(26)} ${value} ${unit}\n`);
report('memory', results, {});
