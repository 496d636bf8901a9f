import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { exchangeRaw, startTestServer, type TestServer } from './test-server.ts';

async function gauge(server: TestServer, name: string): Promise<number> {
  const metric = await server.metrics.registry.getSingleMetric(`kvorum_http_${name}`)?.get();
  return metric?.values[0]?.value as number;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const upload = 'PUT /v1/kv/default/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';

for (const [name, text] of [
  ['head', `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(90)}`],
  ['body', `${upload}${'x'.repeat(90)}`],
] as const) {
  test(`a client of one byte at a time is cut in its ${name} with 408`, async () => {
    await using server = await startTestServer({ headersTimeoutMs: 300, requestTimeoutMs: 300 });
    const parts = name === 'head' ? [...text] : [upload, ...'x'.repeat(90)];
    const answer = await exchangeRaw(server.port, parts, 20);
    assert.match(answer, /^HTTP\/1.1 408 [\s\S]*REQUEST_TIMEOUT/);
    assert.equal(await gauge(server, 'in_flight_bytes'), 0);
  });
}

test('an aborted upload frees what it held and writes nothing', async () => {
  await using server = await startTestServer();
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`${upload}half`);
  await wait(100);
  assert.equal(await gauge(server, 'in_flight_bytes'), 4);
  socket.destroy();
  await wait(100);
  assert.deepEqual(
    [await gauge(server, 'in_flight_bytes'), await gauge(server, 'in_flight_requests')],
    [0, 0],
  );
  assert.equal(await server.store.get('default', Buffer.from('a')), undefined);
});

test('too many requests at once are refused with Retry-After, probes are not', async () => {
  await using server = await startTestServer({ inFlightRequestsMax: 1 });
  const gate = Promise.withResolvers<void>();
  server.store.gate = gate.promise;
  const first = fetch(`${server.url}/v1/kv/default/a`);
  await wait(100);
  const second = await fetch(`${server.url}/v1/kv/default/a`);
  assert.deepEqual([second.status, second.headers.get('retry-after')], [503, '1']);
  assert.match(await second.text(), /"code":"OVERLOADED".*"retryable":true/);
  assert.equal((await fetch(`${server.url}/livez`)).status, 200);
  gate.resolve();
  assert.equal((await first).status, 404);
});

test('a body that would exceed the memory of bodies is refused', async () => {
  await using server = await startTestServer({ inFlightBytesMax: 100 });
  const response = await fetch(`${server.url}/v1/kv/default/a`, { method: 'PUT', body: 'x'.repeat(101) });
  assert.equal(response.status, 503);
  assert.equal(await gauge(server, 'in_flight_bytes'), 0);
});

test('closing finishes what is in flight and takes nothing new', async () => {
  const server = await startTestServer();
  const gate = Promise.withResolvers<void>();
  server.store.gate = gate.promise;
  const idle = connect(server.port, '127.0.0.1');
  const request = fetch(`${server.url}/v1/kv/default/a`, { method: 'PUT', body: 'v' });
  await wait(100);
  const closed = server.http.close(5000);
  await wait(50);
  await assert.rejects(fetch(`${server.url}/livez`));
  gate.resolve();
  const response = await request;
  assert.deepEqual([response.status, response.headers.get('connection')], [204, 'close']);
  await closed;
  idle.destroy();
});

test('the deadline of closing cuts what does not finish', async () => {
  const server = await startTestServer();
  server.store.gate = new Promise(() => {});
  const request = assert.rejects(fetch(`${server.url}/v1/kv/default/a`));
  await wait(50);
  await server.http.close(100);
  await request;
});
