import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient } from '@kvorum/client';
import { startTestServer } from '../store/io/http/test-server.ts';

test('the client takes the map of the HTTP interface, and goes on where its members are out of reach', async () => {
  await using server = await startTestServer();
  for (const name of ['node-2', 'node-3']) server.cluster.addMember(name);
  server.cluster.placePartitions();
  await using client = new KvorumClient({ url: server.url });
  const { epoch } = await client.ring();
  assert.equal(await client.refreshRing(), epoch);
  for (let i = 0; i < 10; i++) {
    await client.put('default', `k${i}`, 'v', { r: 1, w: 'all', timeoutMs: 5000 });
    assert.ok((await client.get('default', `k${i}`, { r: 'all', timeoutMs: 5000 })) !== undefined);
  }
  server.cluster.addMember('node-4');
  assert.equal(await client.refreshRing(), epoch + 1);
});

test('levels, time and idempotency keys of the client are what the HTTP interface takes', async () => {
  await using server = await startTestServer();
  for (const batching of [undefined, { maxDelayMs: 0 }]) {
    await using client = new KvorumClient({ url: server.url, ...(batching && { batching }) });
    const options = { r: 1, w: 'quorum', timeoutMs: 2000, idempotent: true } as const;
    await client.put('default', 'k', 'v', options);
    await client.put('default', 'k', 'v', { w: 1, serverTimeoutMs: 100 });
    assert.equal((await client.get('default', 'k', { r: 'quorum', timeoutMs: 2000 }))?.value.length, 1);
    const operations = [
      { op: 'put', key: 'l', value: '' },
      { op: 'delete', key: 'k' },
    ] as const;
    assert.ok((await client.batch('default', operations, options)).every(({ ok }) => ok));
    const keys = await Array.fromAsync(
      client.scan('default', {}, { r: 1, timeoutMs: 2000 }),
      ({ key }) => key,
    );
    assert.equal(keys.length, 1);
    await client.delete('default', 'l', options);
  }
});
