import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, ServerProcess } from './lib/server-process.ts';
import { TestDirectory } from './lib/test-directory.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));

const PROGRAM = `
import { KvorumClient } from '@kvorum/client';
const client = new KvorumClient({ url: process.argv[2].split(','), batching: { maxDelayMs: 0 } });
const found = [];
await client.put('default', 'greeting', 'hello', { ttlSeconds: 60 });
found.push(Buffer.from((await client.get('default', 'greeting')).value).toString());
const keys = Array.from({ length: 20 }, (_, i) => 'many/' + String(i).padStart(2, '0'));
await Promise.all(keys.map((key) => client.put('default', key, key, { contentType: 'text/plain' })));
for await (const entry of client.scan('default', { prefix: 'many/' })) found.push(Buffer.from(entry.key).toString());
await client.delete('default', 'greeting');
found.push(String(await client.get('default', 'greeting')));
await client.get('missing', 'k').catch(({ name, code, status }) => found.push([name, code, status].join(' ')));
await client.close();
console.log(found.join('\\n'));
`;
const EXPECTED = [
  'hello',
  ...Array.from({ length: 20 }, (_, i) => `many/${String(i).padStart(2, '0')}`),
  'undefined',
  'KvorumResponseError NAMESPACE_NOT_FOUND 404',
];

const TYPED = `
import { KvorumClient, KvorumError, type Outcome, type StoredValue } from '@kvorum/client';
export async function use(url: string): Promise<Outcome | undefined> {
  await using client = new KvorumClient({ url: [url], batching: { maxOperations: 10 } });
  const stored: StoredValue | undefined = await client.get('default', 'k', { r: 'all' });
  const { version }: { version: string } = await client.put('default', 'k', 'v', { w: 1, idempotent: true });
  // @ts-expect-error: a level that there is not
  await client.get('default', version, { r: 2 });
  for await (const { key } of client.scan('default')) key satisfies Uint8Array;
  const error: unknown = stored;
  return error instanceof KvorumError ? error.outcome : undefined;
}
`;

test('npm pack: an empty folder, the tarball and a node are enough, on Node 20 and 26', async (t) => {
  using directory = new TestDirectory();
  const installed = await installPacked(directory.path);
  const node20 = await findNode20(directory.path);
  const server = await ServerProcess.start({
    directory: join(directory.path, 'node-1'),
    port: await freePort(),
    settings: { 'storage.reserveBytes': 0 },
  });
  t.after(() => server.kill());
  for (const [major, node] of [
    ['v20.', node20],
    ['v26.', process.execPath],
  ] as const) {
    await t.test(`${major}x`, async (under) => useUnder(under, { node, major, installed, url: server.url }));
  }
});

test('npm pack: the declarations are those that a strict program needs, and npm sees no dependency', async () => {
  using directory = new TestDirectory();
  const installed = await installPacked(directory.path);
  writeFileSync(join(installed, 'use.ts'), TYPED);
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext'];
  const lib = ['--target', 'es2022', '--lib', 'es2023,esnext.disposable'];
  const types = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', 'node'];
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, ...options, ...lib, ...types, 'use.ts'], { cwd: installed }).catch(
    (error: { stdout: string }) => assert.fail(error.stdout),
  );
  const scope = readdirSync(join(installed, 'node_modules')).filter((name) => !name.startsWith('.'));
  assert.deepEqual(scope, ['@kvorum']);
  const files = readdirSync(join(installed, 'node_modules/@kvorum/client'), { recursive: true }).map(String);
  assert.deepEqual(
    files.filter((name) => /test|src|(?<!\.d)\.ts$/.test(name)),
    [],
  );
});

async function useUnder(
  t: TestContext,
  use: { readonly node: string; readonly major: string; readonly installed: string; readonly url: string },
): Promise<void> {
  const { stdout: version } = await run(use.node, ['--version']);
  assert.ok(version.startsWith(use.major), `${use.node} is ${version}`);
  t.diagnostic(`the client ran under Node ${version.trim()} (${use.node})`);
  const { stdout } = await run(use.node, ['main.js', use.url], { cwd: use.installed });
  assert.deepEqual(stdout.trimEnd().split('\n'), EXPECTED);
}

/**
 * A folder with the tarball installed as the only package. What is packed is a copy of the sources: packing writes into
 * client/package.json for a moment, and other tests import it.
 */
async function installPacked(directory: string): Promise<string> {
  const source = join(directory, 'source');
  for (const name of ['tsconfig.json', 'LICENSE', 'client']) {
    const filter = (path: string): boolean => !/\/(node_modules|dist)$/.test(path);
    cpSync(join(ROOT, name), join(source, name), { recursive: true, filter });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'));
  const before = readFileSync(join(source, 'client/package.json'), 'utf8');
  await npm(['pack', '--pack-destination', directory], join(source, 'client'));
  assert.equal(readFileSync(join(source, 'client/package.json'), 'utf8'), before);
  assert.ok(!existsSync(join(source, 'client/LICENSE')));
  const installed = join(directory, 'installed');
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), '{"private": true, "type": "module"}');
  writeFileSync(join(installed, 'main.js'), PROGRAM);
  await npm(['install', '--offline', '../kvorum-client-0.1.0.tgz'], installed);
  return installed;
}

function npm(args: readonly string[], cwd: string): Promise<unknown> {
  return run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd });
}

/** A Node 20 on the path, else the npm package `node@20`. There is no test without one. */
async function findNode20(directory: string): Promise<string> {
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(place, 'node');
    if (existsSync(node) && (await run(node, ['--version'])).stdout.startsWith('v20.')) return node;
  }
  const prefix = join(directory, 'node-20');
  mkdirSync(prefix);
  await npm(['install', '--prefix', prefix, 'node@20'], prefix);
  return join(prefix, 'node_modules/node/bin/node');
}
