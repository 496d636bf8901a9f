import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Cluster } from '../lib/cluster.ts';
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
import { explain } from './explain.ts';
import { fiveNodesTour } from './five-nodes.ts';

/** What the tour needs of `kvorum verify --output json`. */
type Verification = {
  readonly partitions: number;
  readonly equal: number;
  readonly problems: readonly string[];
};

/**
 * The tour on three nodes: the data set goes in, a key is on three replicas, one node is killed with kill -9, reads and
 * writes go on, the node comes back, and the replicas are proven equal. Then nodes come and go: `fiveNodesTour`.
 */
export async function threeNodesTour(): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-tour-`);
  await using cluster = await Cluster.start({ directory, size: 3 });
  const tourist = new Tourist({ directory, url: cluster.nodes.map(({ url }) => url).join(',') });
  try {
    const cities = readCities();
    say(`three nodes: importing ${cities.length} cities`);
    const startedAt = performance.now();
    tourist.cli('import', CITIES, '--key', KEY_TEMPLATE, '--state', `${directory}/import.state`);
    say(`imported in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    const oulu = cities.find((city) => city.name === 'Oulu') as City;
    const before = explain(tourist, keyOf(oulu));
    equal([before.safety, before.replicas.length], ['safe', 3], `explain: ${before.verdict}`);

    await cluster.kill(2);
    say('kvorum-2 is killed with kill -9');
    equal(JSON.parse(tourist.cli('get', keyOf(oulu))), oulu, 'a key while one of three is down');
    const moved = { ...oulu, admin1: 'moved while kvorum-2 was down' };
    tourist.cli('put', keyOf(oulu), JSON.stringify(moved));
    const during = explain(tourist, keyOf(oulu));
    equal(during.safety, 'degraded', `explain while one of three is down: ${during.verdict}`);

    cluster.start(2);
    await cluster.settled();
    say('kvorum-2 is back');
    await cluster.until('the key is not on all three replicas', async () => {
      return explain(tourist, keyOf(oulu)).safety === 'safe';
    });
    // After kill -9 a node makes its trees anew beside service; until they are there nothing is proven.
    await cluster.until(
      'kvorum-2 has not made its trees',
      async () => (await treesBuilding(cluster, 2)) === 0,
    );
    const verified = JSON.parse(tourist.cli('verify', '--output', 'json')) as Verification;
    equal([verified.equal, verified.problems], [verified.partitions, []], 'verify');
    say(`verify: the replicas of all ${verified.partitions} partitions are equal`);
    const expected = cities.map((city) => (city === oulu ? moved : city));
    await exportEquals(tourist, expected, 'export');
    await fiveNodesTour({ cluster, tourist, key: keyOf(oulu) });
    await exportEquals(tourist, expected, 'export after nodes came and went');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function treesBuilding(cluster: Cluster, index: number): Promise<number> {
  const answer = await fetch(`${cluster.node(index).url}/v1/repair`);
  const { trees } = (await answer.json()) as { readonly trees: { readonly building: number } };
  return trees.building;
}
