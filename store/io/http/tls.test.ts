import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Agent, type RequestOptions, request, Agent as TlsAgent } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { connect, type PeerCertificate } from 'node:tls';
import { LOCAL_NAMES, makeAuthority, makeCertificate } from '../tcp/test-certificates.ts';
import { openCertificate } from './certificate.ts';
import { exchangeRaw, startTestServer, type TestServer } from './test-server.ts';

const opts = { timeout: 30_000 };
const directory = mkdtempSync(join(tmpdir(), 'kvorum-https-'));
after(() => rmSync(directory, { recursive: true }));
const authority = makeAuthority(directory, 'ours');
const ca = readFileSync(`${authority}.pem`);
const files = (name: string) => makeCertificate(authority, directory, name, LOCAL_NAMES);
const first = files('first');

async function start(errors: string[] = []): Promise<TestServer> {
  const certificate = await openCertificate(first, (message) => errors.push(message));
  return await startTestServer({ headersTimeoutMs: 500 }, { certificate });
}

type Answer = { readonly status: number | undefined; readonly body: string; readonly name: string };

async function ask(port: number, change: RequestOptions = {}, body?: string): Promise<Answer> {
  const outgoing = request({ port, host: '127.0.0.1', path: '/livez', ca, agent: false, ...change });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  const { CN } = (response.socket.getPeerCertificate() as PeerCertificate).subject;
  return { status: response.statusCode, body: await text(response), name: String(CN) };
}

test('requests are served over TLS 1.2 and 1.3, and by nothing less', opts, async () => {
  await using server = await start();
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const agent = new TlsAgent({ maxVersion });
    assert.deepEqual(await ask(server.port, { agent }), {
      status: 200,
      body: '{"status":"ok"}',
      name: 'first',
    });
  }
  const old = connect({
    port: server.port,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ca,
    ciphers: 'ALL:@SECLEVEL=0',
  });
  await assert.rejects(once(old, 'secureConnect'), /version|alert/i);
  await assert.rejects(ask(server.port, { ca: undefined }), /unable to verify|self-signed|issuer/);
  const put = await ask(server.port, { method: 'PUT', path: '/v1/kv/default/a' }, 'x'.repeat(1 << 20));
  assert.equal(put.status, 204);
  assert.equal((await ask(server.port, { path: '/v1/kv/default/a' })).body.length, 1 << 20);
});

test(
  'who speaks no TLS is cut off and harms nobody; one that says nothing is cut off in time',
  opts,
  async () => {
    await using server = await start();
    const plain = await exchangeRaw(server.port, ['GET /livez HTTP/1.1\r\nHost: a\r\n\r\n']);
    assert.ok(!plain.includes('200'), plain);
    const silent = connectPlain(server.port, '127.0.0.1');
    silent.on('error', () => {});
    await once(silent, 'close');
    assert.equal((await ask(server.port)).status, 200);
  },
);

test(
  'a certificate that is replaced is shown to new connections, and those that are open go on',
  opts,
  async () => {
    const at = join(directory, 'live');
    const live = { cert: `${at}.pem`, key: `${at}.key` };
    const put = ({ cert, key }: { readonly cert: string; readonly key: string }): void => {
      copyFileSync(key, live.key);
      copyFileSync(cert, live.cert);
    };
    put(first);
    const errors: string[] = [];
    const certificate = await openCertificate(live, (message) => errors.push(message));
    await using server = await startTestServer({}, { certificate });
    using agent = keepAlive();
    assert.equal((await ask(server.port, { agent })).name, 'first');
    const next = files('next');
    // The key of the next one and still the certificate of the first: as it is in the middle of a renewal.
    copyFileSync(next.key, live.key);
    await certificate.look();
    await certificate.look();
    assert.deepEqual([errors.length, certificate.isStale, (await ask(server.port)).name], [1, true, 'first']);
    assert.match(
      errors[0] as string,
      /http\.tlsCert .* and http\.tlsKey .* cannot be used: .*key values mismatch/,
    );
    put(next);
    await certificate.look();
    assert.equal(certificate.isStale, false);
    assert.equal((await ask(server.port, { agent })).name, 'first');
    assert.equal((await ask(server.port)).name, 'next');
    writeFileSync(live.cert, 'half a certif');
    await certificate.look();
    assert.deepEqual([errors.length, (await ask(server.port)).name], [2, 'next']);
  },
);

test('close finishes what is in flight and closes what is idle', opts, async () => {
  const server = await start();
  using agent = keepAlive();
  await ask(server.port, { agent });
  const slow = request({
    port: server.port,
    host: '127.0.0.1',
    path: '/v1/kv/default/slow',
    method: 'PUT',
    ca,
  });
  slow.write('begun ');
  while ((await inFlight(server)) < 1) await new Promise(setImmediate);
  const silent = connectPlain(server.port, '127.0.0.1');
  await once(silent, 'connect');
  silent.on('error', () => {});
  const closed = server.http.close(5000);
  setTimeout(() => slow.end('and done'), 100);
  const [response] = await once(slow, 'response');
  response.resume();
  assert.equal(response.statusCode, 204);
  await closed;
});

async function inFlight({ metrics }: TestServer): Promise<number> {
  const text = await metrics.registry.getSingleMetricAsString('kvorum_http_in_flight_requests');
  return Number(/^kvorum_http_in_flight_requests (\d+)/m.exec(text)?.[1]);
}

function keepAlive(): Agent & Disposable {
  const agent = new TlsAgent({ keepAlive: true, maxSockets: 1 });
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() });
}
