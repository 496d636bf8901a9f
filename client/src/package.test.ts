import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TestServer } from './test-server.ts';

const run = promisify(execFile);
const CLIENT = fileURLToPath(new URL('..', import.meta.url));
const UNDICI = fileURLToPath(new URL('../../node_modules/undici', import.meta.url));

const PROGRAM = `
import { KvorumClient } from '@kvorum/client';
const client = new KvorumClient({ url: process.argv[2] });
await client.put('default', 'greeting', 'hello');
console.log(Buffer.from((await client.get('default', 'greeting')).value).toString());
await client.close();
`;

test('package: what npm pack makes works from a plain .js file, with types and without tests', async (t) => {
  await using server = await TestServer.start();
  const dir = await mkdtemp(join(tmpdir(), 'kvorum-client-'));
  t.after(() => rm(dir, { recursive: true }));
  const scope = join(dir, 'node_modules/@kvorum');
  await mkdir(scope, { recursive: true });
  await run(process.execPath, ['build.ts'], { cwd: CLIENT });
  await run('npm', ['pack', './dist', '--loglevel=error', '--pack-destination', dir], { cwd: CLIENT });
  const { stdout: files } = await run('tar', ['xvzf', join(dir, 'kvorum-client-0.1.0.tgz'), '-C', scope]);
  await run('mv', [join(scope, 'package'), join(scope, 'client')]);
  await symlink(UNDICI, join(dir, 'node_modules/undici'));
  await writeFile(join(dir, 'package.json'), '{"type": "module"}');
  await writeFile(join(dir, 'main.js'), PROGRAM);
  const { stdout } = await run(process.execPath, ['main.js', server.url], { cwd: dir });
  assert.equal(stdout, 'hello\n');
  assert.match(files, /package\/index\.d\.ts/);
  assert.doesNotMatch(files, /test|src/);
});
