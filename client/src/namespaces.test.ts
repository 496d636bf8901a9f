import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient } from './index.ts';
import { TestServer } from './test-server.ts';

test('namespaces: created once, listed, and deleted with their keys only where that is confirmed', async () => {
  await using server = await TestServer.start();
  await using client = new KvorumClient({ url: server.url });
  assert.deepEqual(await client.createNamespace('logs'), { created: true });
  assert.deepEqual(await client.createNamespace('logs'), { created: false });
  const names = (await client.listNamespaces()).map(({ name }) => name);
  assert.deepEqual(names, ['default', 'logs']);
  assert.equal((await client.getNamespace('logs'))?.consistency, 'quorum');
  await client.put('logs', 'k', 'v');
  await assert.rejects(client.deleteNamespace('logs'), { code: 'NAMESPACE_NOT_EMPTY', status: 409 });
  await client.deleteNamespace('logs', { confirm: 'logs' });
  assert.equal(await client.getNamespace('logs'), undefined);
});

test('ready: 503 is an answer that tells the checks, and is not retried', async () => {
  await using server = await TestServer.start();
  await using client = new KvorumClient({ url: server.url });
  assert.equal((await client.ready()).ready, true);
  server.state.ready = false;
  const checks = [{ name: 'storage', ok: false, reason: 'disk full' }];
  assert.deepEqual(await client.ready(), { ready: false, checks });
  assert.equal(server.seen.length, 2);
});

test('close: a call behind it fails at once', async () => {
  await using server = await TestServer.start();
  const client = new KvorumClient({ url: server.url });
  await client.close();
  await assert.rejects(client.get('default', 'k'), /closed/);
});
