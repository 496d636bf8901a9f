import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'undici';
import { exchangeRaw, startTestServer, type TestServer } from './test-server.ts';

const VALUE_BYTES_MAX = 4096;
let server: TestServer;
before(async () => {
  server = await startTestServer({ valueBytesMax: VALUE_BYTES_MAX });
});
after(() => server[Symbol.asyncDispose]());

function request(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(server.url + path, { method, ...init });
}

function percentEncode(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

test('a key may hold each of the 256 byte values', async () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const client = new Client(server.url);
  for (const key of [all, ...Array.from(all, (byte) => Uint8Array.of(byte))]) {
    // Not by fetch: a URL of WHATWG resolves %2e and %2e%2e, so it cannot spell the keys `.` and `..`.
    const path = `/v1/kv/default/${percentEncode(key)}`;
    const written = await client.request({ path, method: 'PUT', body: 'v' });
    assert.equal(written.statusCode, 204);
    assert.ok(await server.store.get('default', key));
    assert.equal(await (await client.request({ path, method: 'GET' })).body.text(), 'v');
  }
  await client.close();
});

test('an unencoded slash belongs to the key', async () => {
  await request('PUT', '/v1/kv/default/a/b//c', { body: 'v' });
  assert.equal((await request('GET', '/v1/kv/default/a%2fb%2F%2fc')).status, 200);
});

for (const bytes of [0, 1, VALUE_BYTES_MAX]) {
  test(`a value of ${bytes} bytes comes back as it went`, async () => {
    const value = Buffer.alloc(bytes, 0xfe);
    const headers = { 'content-type': 'image/png' };
    const written = await request('PUT', '/v1/kv/default/v', { body: value, headers });
    const read = await request('GET', '/v1/kv/default/v');
    assert.deepEqual(Buffer.from(await read.arrayBuffer()), value);
    assert.equal(read.headers.get('etag'), written.headers.get('etag'));
    assert.equal(read.headers.get('content-type'), 'image/png');
    assert.equal(read.headers.get('content-length'), String(bytes));
  });
}

test('HEAD answers as GET does, without the value', async () => {
  await request('PUT', '/v1/kv/default/h', { body: 'value' });
  const response = await request('HEAD', '/v1/kv/default/h');
  assert.equal(response.headers.get('content-length'), '5');
  assert.equal(await response.text(), '');
  assert.equal((await request('HEAD', '/v1/kv/default/none')).status, 404);
});

test('If-None-Match gives 304 for the version that the reader has', async () => {
  const written = await request('PUT', '/v1/kv/default/n', { body: 'value' });
  const etag = written.headers.get('etag') as string;
  for (const [condition, status] of [
    [etag, 304],
    [`"x", W/${etag}`, 304],
    ['*', 304],
    ['"x"', 200],
  ] as const) {
    const headers = { 'if-none-match': condition };
    assert.equal((await request('GET', '/v1/kv/default/n', { headers })).status, status);
  }
});

test('a TTL by query or header is answered as an expiry', async () => {
  for (const [query, headers] of [
    ['?ttl=60', {}],
    ['', { 'kvorum-ttl': '60' }],
    ['?ttl=60', { 'kvorum-ttl': '60' }],
  ] as const) {
    const response = await request('PUT', `/v1/kv/default/t${query}`, { body: 'v', headers });
    const left = Date.parse(response.headers.get('kvorum-expires-at') as string) - Date.now();
    assert.ok(left > 50_000 && left <= 60_000);
  }
});

test('deleting a missing key is a success with a version', async () => {
  const response = await request('DELETE', '/v1/kv/default/never');
  assert.equal(response.status, 204);
  assert.ok(response.headers.get('etag'));
});

test('Expect: 100-continue is answered before the body is sent', async () => {
  const head =
    'PUT /v1/kv/default/e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
  const answer = await exchangeRaw(server.port, [head, 'ok'], 50);
  assert.match(answer, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 204/);
});

test('pipelined requests are answered in order and see the writes before them', async () => {
  const put = 'PUT /v1/kv/default/p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nnew';
  const get = 'GET /v1/kv/default/p HTTP/1.1\r\nHost: a\r\n\r\n';
  const answer = await exchangeRaw(server.port, [put + get + get]);
  assert.match(answer, /^HTTP\/1.1 204 [\s\S]*HTTP\/1.1 200 [\s\S]*new[\s\S]*HTTP\/1.1 200 [\s\S]*new$/);
});

test('an absolute request target is served', async () => {
  const answer = await exchangeRaw(server.port, ['GET http://a:1/livez HTTP/1.1\r\nHost: a\r\n\r\n']);
  assert.match(answer, /^HTTP\/1.1 200 /);
});

test('a batch answers each operation in order, in text or base64', async () => {
  const operations = [
    { op: 'put', key: 'b', value: '1', ttlSeconds: 60, contentType: 'text/plain' },
    { op: 'get', key: 'b' },
    { op: 'put', keyBase64: '/w==', valueBase64: '/w==' },
    { op: 'get', keyBase64: '/w==' },
    { op: 'delete', key: 'b' },
    { op: 'get', key: 'b' },
  ];
  const response = await request('POST', '/v1/kv/default:batch', { body: JSON.stringify({ operations }) });
  const { results } = (await response.json()) as { results: Record<string, unknown>[] };
  assert.deepEqual(
    results.map((result) => result.status),
    [204, 200, 204, 200, 204, 404],
  );
  assert.deepEqual(
    [results[1]?.value, results[1]?.contentType, results[3]?.valueBase64],
    ['1', 'text/plain', '/w=='],
  );
});

test('namespaces are created once, listed, and deleted with their data only when named again', async () => {
  assert.equal((await request('PUT', '/v1/namespaces/n1')).status, 201);
  assert.equal((await request('PUT', '/v1/namespaces/n1', { body: '{"consistency":"quorum"}' })).status, 200);
  await request('PUT', '/v1/kv/n1/a', { body: '' });
  assert.equal((await request('DELETE', '/v1/namespaces/n1')).status, 409);
  assert.equal((await request('DELETE', '/v1/namespaces/n1?confirm=n1')).status, 204);
  assert.equal((await request('GET', '/v1/namespaces/n1')).status, 404);
});
