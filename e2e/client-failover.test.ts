import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient } from '@kvorum/client';
import { Cluster } from './lib/cluster.ts';
import { runCli } from './lib/run-cli.ts';
import { freePort, ServerProcess } from './lib/server-process.ts';
import { TestDirectory } from './lib/test-directory.ts';

test('kvorum --url with the nodes of a cluster survives the loss of any of them', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3, replicationFactor: 1 });
  const urls = cluster.nodes.map(({ url }) => url).join(',');
  for (const { index } of cluster.nodes) {
    await cluster.kill(index);
    const created = runCli(urls, ['namespaces', 'create', `after-${index}`]);
    assert.equal(created.status, 0, created.stderr);
    const listed = runCli(urls, ['--output', 'json', 'namespaces', 'list']);
    assert.equal(listed.status, 0, listed.stderr);
    assert.match(listed.stdout, new RegExp(`after-${index}`));
    const nodes = runCli(urls, ['nodes']);
    assert.equal(nodes.status, 0, nodes.stderr);
    cluster.start(index);
    await cluster.settled();
  }
});

test('kvorum --url: data commands go on at the node that is there, wherever it stands in the list', async () => {
  using directory = new TestDirectory();
  const server = await ServerProcess.start({
    directory: directory.path,
    port: await freePort(),
    settings: { 'storage.reserveBytes': 0 },
  });
  try {
    const gone = `http://127.0.0.1:${await freePort()}`;
    for (const urls of [`${gone},${server.url}`, `${server.url}, ${gone}`]) {
      for (let i = 0; i < 2; i++) {
        assert.equal(runCli(urls, ['put', 'k', `v${i}`]).status, 0);
        assert.equal(runCli(urls, ['get', 'k']).stdout.trimEnd(), `v${i}`);
      }
      assert.equal(runCli(urls, ['scan']).status, 0);
    }
    const nobody = runCli(gone, ['get', 'k']);
    assert.match(nobody.stderr, /Is a node running there/);
    assert.match(runCli(`${server.url},nonsense`, ['get', 'k']).stderr, /several with commas/);
  } finally {
    await server.kill();
  }
});

test('KvorumClient: calls go on while each node in turn is killed and comes back', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3, replicationFactor: 1 });
  await using client = new KvorumClient({ url: cluster.nodes.map(({ url }) => url) });
  const ended = new AbortController();
  let calls = 0;
  const callOn = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      assert.ok((await client.listNamespaces()).length >= 1);
      assert.ok((await client.members({ consistency: 'local' })).members.length === 3);
      calls += 1;
    }
  };
  const calling = callOn();
  for (const index of [1, 2]) {
    await cluster.kill(index);
    const before = calls;
    await cluster.until('no calls succeeded', async () => calls > before + 20);
    await cluster.restart(index, { withNewPorts: false });
    await cluster.settled();
  }
  ended.abort();
  await calling;
  assert.ok(calls > 40);
});
