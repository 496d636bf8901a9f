import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from './test-server.ts';

const COUNT = 3000;
let server: TestServer;
before(async () => {
  server = await startTestServer({ streamStallMsMax: 300 });
  for (let n = 0; n < COUNT; n++) {
    await server.store.put('default', Buffer.from(`k${String(n).padStart(5, '0')}`), {
      value: Buffer.alloc(4096, 'x'),
    });
  }
});
after(() => server[Symbol.asyncDispose]());

type Page = { entries: { key: string; value?: string }[]; cursor: string | null };

async function page(query: string): Promise<Page> {
  return (await (await fetch(`${server.url}/v1/kv/default?${query}`)).json()) as Page;
}

for (const reverse of [false, true]) {
  test(`pages give every key once, in order (reverse=${reverse})`, async () => {
    const keys: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const next: Page = await page(
        `reverse=${reverse}&values=false&limit=700${cursor && `&cursor=${cursor}`}`,
      );
      keys.push(...next.entries.map((entry) => entry.key));
      cursor = next.cursor;
    }
    assert.equal(new Set(keys).size, COUNT);
    assert.deepEqual(keys, reverse ? keys.toSorted().reverse() : keys.toSorted());
  });
}

test('a page ends where its bytes do, and the cursor goes on from there', async () => {
  const first = await page('limit=1000&start=k00000&end=k03000');
  assert.ok(first.entries.length <= 1000 && first.cursor !== null);
  const second = await page(`limit=1&start=k00000&end=k03000&cursor=${first.cursor}`);
  assert.equal(second.entries[0]?.key, `k${String(first.entries.length).padStart(5, '0')}`);
});

test('a cursor of another scan is refused', async () => {
  const { cursor } = await page('limit=1&prefix=k');
  for (const query of ['prefix=k0', 'prefix=k&reverse=true', 'prefix=k&values=false']) {
    assert.equal((await fetch(`${server.url}/v1/kv/default?${query}&cursor=${cursor}`)).status, 400);
  }
});

test('a stream gives the whole range, a line an entry', async () => {
  const headers = { accept: 'application/x-ndjson' };
  const body = await (await fetch(`${server.url}/v1/kv/default?prefix=k`, { headers })).text();
  assert.equal(body.trimEnd().split('\n').length, COUNT);
  const limited = await (await fetch(`${server.url}/v1/kv/default?format=ndjson&limit=300`)).text();
  assert.equal(limited.trimEnd().split('\n').length, 300);
});

test('a stream that fails half way breaks the connection', async () => {
  const response = await fetch(`${server.url}/v1/kv/default?format=ndjson`);
  server.store.failure = new Error('disk');
  await assert.rejects(response.text());
  server.store.failure = undefined;
});

test('a slow reader costs bounded memory, and one that stalls is cut', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write('GET /v1/kv/default?format=ndjson HTTP/1.1\r\nHost: a\r\n\r\n');
  socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 150));
  const gauge = await server.metrics.registry.getSingleMetric('kvorum_http_in_flight_bytes')?.get();
  const held = gauge?.values[0]?.value as number;
  assert.ok(held > 0 && held < 2 * 256 * 4200, `${held} bytes held`);
  assert.equal(server.store.openViews, 1);
  await new Promise((resolve) => setTimeout(resolve, 900));
  assert.equal(server.store.openViews, 0);
  socket.destroy();
});
