import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { connect } from 'node:tls';
import { RawPeer } from './raw-peer.ts';
import { makeAuthority, makeCertificate } from './test-certificates.ts';
import { ping, TestNode } from './test-nodes.ts';
import { tlsFiles } from './tls-files.ts';

const opts = { timeout: 30_000 };
const directory = mkdtempSync(join(tmpdir(), 'kvorum-tls-'));
after(() => rmSync(directory, { recursive: true }));
const ours = makeAuthority(directory, 'ours');
const theirs = makeAuthority(directory, 'theirs');
const certificate = makeCertificate(ours, directory, 'node');
const foreign = makeCertificate(theirs, directory, 'stranger');

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(() => assert.fail('not refused')).catch((error) => error);
const busy = { type: 'busy', message: 'in' } as const;
async function start(name: string, tls: ReturnType<typeof tlsFiles>, change = {}): Promise<TestNode> {
  const node = await TestNode.start(name, { tls, ...change });
  node.serve = async () => busy;
  return node;
}

test(
  'with one authority both ways work, over TLS 1.3 and whatever names the certificates have',
  opts,
  async () => {
    await using a = await start('a', certificate);
    await using b = await start('b', makeCertificate(ours, directory, 'other'));
    assert.deepEqual(await a.request(b.address, { type: 'who' }), busy);
    assert.deepEqual(await b.request(a.address, { type: 'who' }), busy);
    const [host = '', port] = a.address.split(':');
    const { cert, key, ca } = certificate;
    const files = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) };
    const socket = connect({ host, port: Number(port), ...files, checkServerIdentity: () => undefined });
    await once(socket, 'secureConnect');
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    socket.destroy();
  },
);

test('TLS 1.2 is refused', opts, async () => {
  await using a = await start('a', certificate);
  const [host = '', port] = a.address.split(':');
  const socket = connect({ host, port: Number(port), maxVersion: 'TLSv1.2', rejectUnauthorized: false });
  const [error] = await once(socket, 'error').catch((thrown) => [thrown]);
  assert.match(String(error), /protocol version/i);
  await a.until(() => a.log.some((line) => line.startsWith('protocol error')));
});

test(
  'a node with a certificate of another authority gets in nowhere, and its log says why',
  opts,
  async () => {
    await using a = await start('a', certificate);
    await using stranger = await start('stranger', foreign);
    const out = await failure(stranger.request(a.address, { type: 'who' }));
    assert.match(out.message, /the certificate of the other side is not accepted.*peer\.tlsCa/);
    const inward = await failure(a.request(stranger.address, { type: 'who' }));
    assert.match(inward.message, /the certificate of the other side is not accepted/);
    assert.deepEqual([a.linked, stranger.linked], [[], []]);
  },
);

test('a client whose certificate the server does not accept is refused by the server', opts, async () => {
  await using a = await start('a', certificate);
  // It trusts our authority, but shows a certificate that ours did not sign: only the server can refuse it.
  await using stranger = await start('stranger', { ...foreign, ca: certificate.ca });
  const error = await failure(stranger.request(a.address, { type: 'who' }));
  assert.match(
    error.message,
    /the other side does not accept the certificate of this node|closed by the other side/,
  );
  await a.until(() => a.log.some((line) => line.startsWith('protocol error')));
  assert.deepEqual([a.linked, a.messages], [[], []]);
});

test('a client without a certificate is refused', opts, async () => {
  await using a = await start('a', certificate);
  const [host = '', port] = a.address.split(':');
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'close').catch(() => {});
  await a.until(() => a.log.some((line) => line.startsWith('protocol error')));
  assert.deepEqual(a.linked, []);
});

test('TLS on one side only: both logs say so', opts, async () => {
  await using secure = await start('secure', certificate);
  await using plain = await start('plain', undefined);
  const fromPlain = await failure(plain.request(secure.address, { type: 'who' }));
  assert.match(
    fromPlain.message,
    /the other side speaks TLS and this node does not|closed by the other side/,
  );
  await secure.until(() => secure.log.some((line) => /does not speak TLS/.test(line)));
  const fromSecure = await failure(secure.request(plain.address, { type: 'who' }));
  assert.match(fromSecure.message, /the other side (does|may) not speak TLS/);
  await plain.until(() =>
    plain.log.some((line) => /the other side speaks TLS and this node does not/.test(line)),
  );
});

test(
  'a client that stalls the TLS handshake is given up and counts as a connection until then',
  opts,
  async () => {
    await using a = await start('a', certificate, { connectTimeoutMs: 150, linksMax: 1 });
    using stalled = await RawPeer.connect(a.address);
    using refused = await RawPeer.connect(a.address);
    await Promise.all([refused.closed, stalled.closed]);
    assert.deepEqual(
      a.refused.map(({ refusal }) => refusal.code),
      ['OVERLOADED'],
    );
    assert.ok(a.log.some((line) => /protocol error/.test(line)));
  },
);

test(
  'certificates that are replaced are used by new connections; files that do not fit change nothing',
  opts,
  async () => {
    const own = { ...makeCertificate(ours, directory, 'rotated'), ca: join(directory, 'rotated-ca.pem') };
    copyFileSync(certificate.ca, own.ca);
    await using a = await start('a', own);
    await using b = await start('b', foreign);
    b.serve = async () => busy;
    await failure(b.request(a.address, { type: 'who' }));
    writeFileSync(own.cert, 'half a certificate');
    await using c = await start('c', certificate);
    assert.deepEqual(await c.request(a.address, { type: 'who' }), busy);
    assert.equal(
      a.log.filter((line) => /^tls: the files peer\.tlsCert.*cannot be used/.test(line)).length,
      1,
    );
    const next = makeCertificate(theirs, directory, 'next');
    copyFileSync(next.key, own.key);
    copyFileSync(next.cert, own.cert);
    copyFileSync(next.ca, own.ca);
    let reply: unknown;
    while (reply === undefined) reply = await b.request(a.address, { type: 'who' }).catch(() => undefined);
    assert.deepEqual(reply, busy);
    a.transport.send(b.address, ping(3));
    await b.until(() => b.messages.length === 1);
  },
);

test(
  'files that are missing are an error of start, and some settings without the others one of the settings',
  opts,
  async () => {
    const missing = { ...certificate, key: join(directory, 'none.key') };
    await assert.rejects(
      TestNode.start('a', { tls: missing }),
      /peer\.tlsCert, peer\.tlsKey and peer\.tlsCa cannot be used.*none\.key/,
    );
    assert.throws(
      () => tlsFiles('a.pem', '', ''),
      /^Error: peer\.tlsKey and peer\.tlsCa not set: TLS between nodes/,
    );
    assert.equal(tlsFiles('', '', ''), undefined);
  },
);
