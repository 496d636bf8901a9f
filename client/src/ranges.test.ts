import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, KvorumClient } from './index.ts';
import { TestServer } from './test-server.ts';

async function withKeys(
  count: number,
  use: (client: KvorumClient, server: TestServer) => Promise<void>,
): Promise<void> {
  await using server = await TestServer.start();
  await using client = new KvorumClient({ url: server.url });
  const name = (index: number) => `k${String(index).padStart(5, '0')}`;
  for (let from = 0; from < count; from += 1000) {
    const length = Math.min(1000, count - from);
    await client.batch(
      'default',
      Array.from({ length }, (_, i) => ({ op: 'put', key: name(from + i), value: 'v' })),
    );
  }
  await use(client, server);
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

test('batch: one result per operation, a missing key is a success, a refusal is a result', async () => {
  await withKeys(0, async (client) => {
    const binary = Uint8Array.of(0xff, 0);
    const results = await client.batch('default', [
      { op: 'put', key: binary, value: binary },
      { op: 'get', key: binary },
      { op: 'get', key: 'missing' },
      { op: 'put', key: 'refused', value: '' },
      { op: 'delete', key: binary },
    ]);
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, true, true, false, true],
    );
    const [, found, missing, refused] = results;
    assert.deepEqual(found?.ok && new Uint8Array(found.value ?? []), binary);
    assert.equal(missing?.ok && missing.value, undefined);
    assert.equal(refused?.ok === false && refused.code, 'STORAGE_FULL');
  });
});

test('scan: follows the cursor, limit bounds all pages together', async () => {
  await withKeys(2500, async (client, server) => {
    assert.equal((await Array.fromAsync(client.scan('default'))).length, 2500);
    const some = await Array.fromAsync(client.scan('default', { limit: 1200, prefix: 'k0', keysOnly: true }));
    assert.deepEqual([some.length, text(some.at(-1)!.key), some[0]!.value], [1200, 'k01199', undefined]);
    assert.equal(server.seen.filter((line) => line.startsWith('GET')).length, 5);
  });
});

test('export: gives the whole range; a consumer may leave early', async () => {
  await withKeys(2500, async (client) => {
    assert.equal((await Array.fromAsync(client.export('default', { prefix: 'k' }))).length, 2500);
    for await (const entry of client.export('default')) {
      assert.equal(text(entry.key), 'k00000');
      break;
    }
  });
});

test('export: a stream that breaks throws behind the entries that came', async () => {
  await withKeys(2500, async (client, server) => {
    server.faults.push({ type: 'cut-stream' });
    const entries: Entry[] = [];
    const drain = async () => {
      for await (const entry of client.export('default')) entries.push(entry);
    };
    await assert.rejects(drain(), { name: 'KvorumConnectionError' });
    assert.ok(entries.length > 0 && entries.length < 2500);
  });
});
