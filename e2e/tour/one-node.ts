import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { freePort, ServerProcess } from '../lib/server-process.ts';
import {
  CITIES,
  type City,
  equal,
  exportEquals,
  KEY_TEMPLATE,
  keyOf,
  readCities,
  say,
  Tourist,
} from './cities.ts';

/**
 * The tour on one node: a public data set goes in through the command line, single keys and a prefix are read,
 * everything comes out again and equals the input, before and after a restart.
 */
export async function oneNodeTour(): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-tour-`);
  const options = { directory, port: await freePort() };
  let server = await ServerProcess.start(options);
  const tourist = new Tourist({ directory, url: server.url });
  try {
    const cities = readCities();
    say(`one node: importing ${cities.length} cities`);
    const startedAt = performance.now();
    tourist.cli('import', CITIES, '--key', KEY_TEMPLATE, '--state', `${directory}/import.state`);
    say(`imported in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);

    const oulu = cities.find((city) => city.name === 'Oulu') as City;
    equal(JSON.parse(tourist.cli('get', keyOf(oulu))), oulu, 'a single key');
    const inMonaco = cities.filter((city) => city.country === 'MC').map(keyOf);
    const scanned = tourist
      .cli('scan', '--prefix', 'MC/', '--keys-only', '--limit', '1000')
      .trim()
      .split('\n');
    equal(scanned.toSorted(), inMonaco.toSorted(), 'a prefix');
    await exportEquals(tourist, cities, 'export');

    equal(await server.stop(), 0, 'SIGTERM ends the node with 0');
    server = await ServerProcess.start(options);
    await exportEquals(tourist, cities, 'export after a restart');
    await server.kill();
    server = await ServerProcess.start(options);
    await exportEquals(tourist, cities, 'export after kill -9');
  } finally {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}
