import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from './lib/cluster.ts';
import { DataHistory, type Target } from './lib/data-history.ts';
import { freePort, ServerProcess } from './lib/server-process.ts';
import { TestDirectory } from './lib/test-directory.ts';

test('one node under contended reads, writes and deletes, killed on the way: each key is one register', async (t) => {
  using directory = new TestDirectory();
  const options = {
    directory: directory.path,
    port: await freePort(),
    settings: { 'storage.reserveBytes': 0 },
  };
  let node = await ServerProcess.start(options);
  try {
    await using history = new DataHistory({ keys: 3, label: 'one-' });
    const targets = (): Target[] => [{ name: 'kvorum-1', url: node.url }];
    const stop = new AbortController();
    const running = history.run({ clients: 8, targets, signal: stop.signal });
    await Promise.race([history.more(200), running]);
    await node.kill();
    node = await ServerProcess.start(options);
    await Promise.race([history.more(200), running]);
    stop.abort();
    await running;
    await history.readAll(targets());
    assert.ok(history.verify() >= 400, history.summary());
    t.diagnostic(history.summary());
  } finally {
    await node.kill();
  }
});

test('three nodes, one of them killed and back: each key is one register through any of them', async (t) => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3 });
  const targets = (): Target[] => cluster.nodes.map(({ name, url }) => ({ name, url }));
  await using history = new DataHistory({ keys: 3, label: 'three-' });
  const isServed = async (): Promise<boolean> => {
    const answers = await Promise.all(
      targets().map(({ url }) => fetch(`${url}/v1/kv/default/any`).then(({ status }) => status)),
    );
    return answers.every((status) => status === 404);
  };
  await cluster.until('the nodes do not serve data', isServed);
  const stop = new AbortController();
  const running = history.run({ clients: 8, targets, signal: stop.signal });
  await Promise.race([history.more(200), running]);
  await cluster.kill(2);
  await Promise.race([history.more(200), running]);
  cluster.start(2);
  await cluster.settled();
  stop.abort();
  await running;
  await history.readAll(targets());
  assert.ok(history.verify() >= 400, history.summary());
  t.diagnostic(history.summary());
});
