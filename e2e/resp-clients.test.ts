import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ClientName, missingClient, runClient, startClient } from './lib/client-programs.ts';
import { keyPlaces, since } from './lib/key-places.ts';
import { RespCluster } from './lib/resp-cluster.ts';

/** redis-py and go-redis, alone and in their cluster modes, with a cluster of three real nodes. */
const CLIENTS: readonly ClientName[] = ['redis-py', 'go-redis'];
const KEYS = 200;
let nodes: RespCluster;

before(async () => {
  if (CLIENTS.some((name) => missingClient(name) === false)) nodes = await RespCluster.start();
});
after(() => nodes?.[Symbol.asyncDispose]());

for (const name of CLIENTS) {
  const skip = missingClient(name);

  for (const protocol of [2, 3])
    test(`${name}, RESP${protocol}: values, pipelines, scans and refusals`, { skip }, () =>
      runClient(name, 'alone', nodes.portOf(1), protocol),
    );

  test(`${name} in cluster mode goes to the owner of each key, and with READONLY to replicas`, {
    skip,
  }, async () => {
    const before = await keyPlaces(nodes.cluster);
    const seen = await runClient<{ nodes: number }>(name, 'cluster', nodes.portOf(2), `${name}:`, KEYS);
    assert.equal(seen.nodes, 3);
    const written = since(before, await keyPlaces(nodes.cluster));
    for (const { first, replica } of written)
      assert.ok(first > KEYS / 3 && replica === 0, JSON.stringify(written));
    const between = await keyPlaces(nodes.cluster);
    await runClient(name, 'replicas', nodes.portOf(2), `${name}:`, KEYS);
    const read = since(between, await keyPlaces(nodes.cluster));
    for (const { replica, elsewhere } of read)
      assert.ok(replica > 0 && elsewhere === 0, JSON.stringify(read));
  });
}

type Written = {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly errors: readonly string[];
};

test('a node is killed under redis-py and go-redis: both go on, and nothing acknowledged is lost', {
  skip: CLIENTS.map(missingClient).find((missing) => missing !== false) ?? false,
}, async (t) => {
  const { cluster } = nodes;
  using python = startClient<Written>('redis-py', 'load', nodes.portOf(1), 'killed:py:');
  using go = startClient<Written>('go-redis', 'load', nodes.portOf(1), 'killed:go:', 0);
  const goesOn = async (what: string): Promise<void> => {
    const before = await keyPlaces(cluster);
    await cluster.until(`${what}: the clients do not go on`, async () =>
      since(before, await keyPlaces(cluster)).every(({ first }) => first > 100),
    );
  };
  await goesOn('before');
  await cluster.kill(3);
  await goesOn('after the kill');
  cluster.start(3);
  await nodes.ready();
  for (const [name, load] of [
    ['redis-py', python],
    ['go-redis', go],
  ] as const) {
    const { acknowledged, lost, errors } = await load.stop();
    t.diagnostic(
      `${name}: ${acknowledged} writes, ${errors.length} errors: ${[...new Set(errors)].slice(0, 3).join('; ')}`,
    );
    assert.deepEqual(lost, []);
    assert.ok(acknowledged > 200, name);
  }
});
