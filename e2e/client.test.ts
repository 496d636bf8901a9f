import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { KvorumClient, KvorumConnectionError, KvorumResponseError } from '@kvorum/client';
import { freePort, ServerProcess } from './lib/server-process.ts';

const directory = mkdtempSync(`${tmpdir()}/kvorum-client-`);
let server: ServerProcess;
let client: KvorumClient;
before(async () => {
  server = await ServerProcess.start({
    directory,
    port: await freePort(),
    settings: { 'storage.reserveBytes': 0 },
  });
  client = new KvorumClient({ url: server.url });
});
after(async () => {
  await client.close();
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

test('the client and a real node agree on keys of any bytes, also on those that look like paths', async () => {
  const keys = [
    'plain',
    '.',
    '..',
    '../x',
    'a/b',
    '/',
    '%',
    '%2F',
    '?a=b#c',
    ' ',
    'é',
    Uint8Array.from({ length: 256 }, (_, i) => i),
  ];
  for (const [i, key] of keys.entries()) await client.put('default', key, `value ${i}`);
  for (const [i, key] of keys.entries())
    assert.equal(text((await client.get('default', key))?.value), `value ${i}`);
  const found = await Array.fromAsync(client.scan('default', {}), (entry) => Buffer.from(entry.key));
  const expected = keys.map((key) => Buffer.from(key as string)).toSorted(Buffer.compare);
  assert.deepEqual(found, expected);
  for (const key of keys) await client.delete('default', key);
  assert.equal((await client.scanPage('default', {})).entries.length, 0);
});

test('content type, time to live, version and head', async () => {
  const before = Date.now();
  const written = await client.put('default', 'typed', '{}', {
    contentType: 'application/json',
    ttlSeconds: 60,
  });
  const found = await client.get('default', 'typed');
  assert.equal(found?.contentType, 'application/json');
  assert.equal(found?.version, written.version);
  assert.ok(found?.expiresAt !== undefined && found.expiresAt.getTime() >= before + 60_000);
  assert.equal((await client.head('default', 'typed'))?.bytes, 2);
  assert.ok((await client.delete('default', 'typed')).version > written.version);
  assert.equal(await client.head('default', 'typed'), undefined);
});

test('batch, pages and export of many keys, in order', async () => {
  const names = Array.from({ length: 2500 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
  for (let from = 0; from < names.length; from += 500) {
    const results = await client.batch(
      'default',
      names.slice(from, from + 500).map((key) => ({ op: 'put' as const, key, value: key })),
    );
    assert.ok(results.every((result) => result.ok));
  }
  const scanned = await Array.fromAsync(client.scan('default', { prefix: 'many/' }), (entry) =>
    text(entry.value),
  );
  assert.deepEqual(scanned, names);
  const reversed = await Array.fromAsync(
    client.scan('default', { prefix: 'many/', reverse: true, keysOnly: true, limit: 7 }),
    (entry) => text(entry.key),
  );
  assert.deepEqual(reversed, names.toReversed().slice(0, 7));
  const exported = await Array.fromAsync(
    client.export('default', { start: 'many/00100', end: 'many/02000' }),
    (entry) => text(entry.key),
  );
  assert.deepEqual(exported, names.slice(100, 2000));
});

test('namespaces, status and refusals carry their codes', async () => {
  await client.createNamespace('other');
  await client.put('other', 'k', 'v');
  const hasCode = (code: string) => (error: unknown) =>
    error instanceof KvorumResponseError && error.code === code;
  await assert.rejects(client.deleteNamespace('other'), hasCode('NAMESPACE_NOT_EMPTY'));
  await client.deleteNamespace('other', { confirm: 'other' });
  await assert.rejects(client.put('other', 'k', 'v'), hasCode('NAMESPACE_NOT_FOUND'));
  await assert.rejects(client.put('default', 'k', Buffer.alloc((8 << 20) + 1)), hasCode('VALUE_TOO_LARGE'));
  assert.equal((await client.status()).ready, true);
  assert.equal((await client.ready()).ready, true);
});

test('a node that is not there is a connection error', async () => {
  await using lost = new KvorumClient({ url: `http://127.0.0.1:${await freePort()}`, timeoutMs: 500 });
  await assert.rejects(lost.get('default', 'k'), (error) => error instanceof KvorumConnectionError);
});

test('cli/kvorum runs through a symbolic link from anywhere', () => {
  const link = `${directory}/kvorum`;
  symlinkSync(`${process.cwd()}/cli/kvorum`, link);
  const output = execFileSync(link, ['--url', server.url, '--output', 'json', 'status'], {
    cwd: '/',
    encoding: 'utf8',
  });
  assert.equal((JSON.parse(output) as { ready: boolean }).ready, true);
});
