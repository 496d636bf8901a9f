import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { makeAuthority, makeCertificate } from '../../store/io/tcp/test-certificates.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import { FakeApiServer } from '../testing/fake-api-server.ts';
import { KubeClient } from './kube-client.ts';
import { connectKube, KubeConfigError } from './kube-config.ts';
import { pods } from './resources.ts';

const A = { namespace: 'n', name: 'a' };

type User = Readonly<Record<string, unknown>>;

/** A server with TLS that wants a client certificate where one is offered, and a kubeconfig for it. */
async function setup(
  user: (files: { readonly dir: string; readonly cert: string; readonly key: string }) => User,
) {
  const dir = mkdtempSync(join(tmpdir(), 'kvorum-kube-config-'));
  const authority = makeAuthority(dir, 'test');
  const of = makeCertificate(authority, dir, 'both');
  const read = (path: string): string => readFileSync(path, 'utf8');
  const tls = {
    cert: read(of.cert),
    key: read(of.key),
    ca: read(of.ca),
    requestCert: true,
    rejectUnauthorized: false,
  };
  const server = await FakeApiServer.start({ tls });
  const cluster = { server: server.url, 'certificate-authority': of.ca, 'tls-server-name': 'peers.invalid' };
  const path = join(dir, 'config');
  const write = (): void => {
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'main' },
      clusters: [
        { name: 'c', cluster },
        { name: 'plain', cluster: { server: 'http://127.0.0.1:1' } },
      ],
      users: [{ name: 'u', user: user({ dir, cert: of.cert, key: of.key }) }],
      contexts: [
        { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'home' } },
        { name: 'plain', context: { cluster: 'plain', user: 'u' } },
        { name: 'broken', context: { cluster: 'none', user: 'u' } },
      ],
    };
    writeFileSync(path, JSON.stringify(config));
  };
  write();
  const clock = new SimClock(Date.now());
  const connection = await connectKube({ path }, { clock });
  const client = new KubeClient({ fieldManager: 'me' }, { connection, clock });
  const dispose = async (): Promise<void> => {
    await connection.close();
    await server[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  };
  return { dir, path, write, server, clock, connection, client, [Symbol.asyncDispose]: dispose };
}

test('a kubeconfig with a certificate: thirty calls over TLS share a connection or two', async () => {
  await using world = await setup(({ cert, key }) => ({ 'client-certificate': cert, 'client-key': key }));
  assert.equal(world.connection.namespace, 'home');
  const names: unknown[] = [];
  world.server.onSocket = (socket) => void names.push((socket as TLSSocket).getPeerCertificate().subject?.CN);
  for (let at = 0; at < 30; at++) {
    await world.client.get(pods, A);
    world.clock.advance(1000);
  }
  assert.ok(world.server.connectionsOpened <= 2, `${world.server.connectionsOpened}`);
  assert.ok(
    names.every((name) => name === 'both'),
    String(names),
  );
});

test('a token is read again after a refusal, from the kubeconfig as it is then', async () => {
  let token = 'old';
  await using world = await setup(() => ({ token }));
  const seen: unknown[] = [];
  world.server.onCall(({ headers }) => {
    seen.push(headers.authorization);
    return headers.authorization === 'Bearer new' ? undefined : { type: 'status', status: 401 };
  });
  token = 'new';
  world.write();
  assert.equal(await world.client.get(pods, A), undefined);
  assert.deepEqual(seen, ['Bearer old', 'Bearer new']);
});

test('an exec plugin is started once for calls at the same time, and again when its token is over', async () => {
  await using world = await setup(({ dir }) => {
    const command = join(dir, 'plugin');
    const status = `{"token": "t'$(wc -l < ${dir}/runs)'", "expirationTimestamp": "2001-01-01T00:00:00Z"}`;
    const credential = `{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": ${status}}`;
    writeFileSync(command, `#!/bin/sh\necho run >> ${dir}/runs\necho '${credential}'\n`);
    chmodSync(command, 0o755);
    return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command } };
  });
  const seen = new Set<unknown>();
  world.server.onCall(({ headers }) => void seen.add(headers.authorization));
  await Promise.all([world.client.get(pods, A), world.client.get(pods, A)]);
  assert.deepEqual([...seen], ['Bearer t1']);
  world.clock.advance(10_000);
  await world.client.get(pods, A);
  assert.deepEqual([...seen], ['Bearer t1', 'Bearer t2']);
});

test('certificates that are replaced on the disk are used from then on', async () => {
  await using world = await setup(({ cert, key }) => ({ 'client-certificate': cert, 'client-key': key }));
  const names: unknown[] = [];
  world.server.onSocket = (socket) => void names.push((socket as TLSSocket).getPeerCertificate().subject?.CN);
  await world.client.get(pods, A);
  const other = makeCertificate(makeAuthority(world.dir, 'test2'), world.dir, 'other');
  writeFileSync(join(world.dir, 'both.pem'), readFileSync(other.cert));
  writeFileSync(join(world.dir, 'both.key'), readFileSync(other.key));
  world.clock.advance(10_000);
  await world.client.get(pods, A);
  assert.deepEqual([names[0], names.at(-1)], ['both', 'other']);
});

test('an http server needs nothing more, and what a kubeconfig lacks is said', async () => {
  await using world = await setup(() => ({ token: 't' }));
  const { clock, path } = world;
  const plain = await connectKube({ path, context: 'plain' }, { clock });
  assert.equal((await plain.access()).headers.authorization, 'Bearer t');
  await plain.close();
  await assert.rejects(connectKube({ path, context: 'other' }, { clock }), {
    ...{ name: KubeConfigError.name, message: /no context 'other': use one of main, plain, broken/ },
  });
  await assert.rejects(
    connectKube({ path, context: 'broken' }, { clock }),
    /no cluster for context 'broken'/,
  );
});
