import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestServer } from '../client/src/test-server.ts';

const KVORUM = fileURLToPath(new URL('./kvorum', import.meta.url));

/** Runs the command line as a process; gives `EXIT CODE`, standard output and standard error. */
async function kvorum(url: string, args: readonly string[], input = ''): Promise<[number, string, string]> {
  const child = spawn(KVORUM, args, { env: { ...process.env, KVORUM_URL: url, NO_COLOR: '1' } });
  child.stdin.end(input);
  const closed = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return [await closed, out, err];
}

test('put, get, scan and delete, with values from arguments and standard input', async () => {
  await using server = await TestServer.start();
  assert.deepEqual(await kvorum(server.url, ['put', 'a', 'one']), [0, '', '']);
  assert.deepEqual(await kvorum(server.url, ['put', 'b'], 'two\n'), [0, '', '']);
  assert.deepEqual(await kvorum(server.url, ['get', 'b']), [0, 'two\n', '']);
  assert.deepEqual(await kvorum(server.url, ['scan']), [0, 'a\tone\nb\ttwo\\x0a\n', '']);
  assert.deepEqual(await kvorum(server.url, ['delete', '--key-format', 'hex', '61']), [0, '', '']);
  const [code, out, err] = await kvorum(server.url, ['get', 'a']);
  assert.deepEqual([code, out, err], [1, '', "kvorum: no key 'a' in namespace 'default'\n"]);
});

test('exit codes tell usage, refusal, no connection and timeout apart', async () => {
  await using server = await TestServer.start();
  assert.equal((await kvorum(server.url, ['put']))[0], 2);
  assert.equal((await kvorum(server.url, ['--timeout', '0', 'get', 'a']))[0], 2);
  assert.equal((await kvorum(server.url, ['-n', 'nope', 'put', 'a', '1']))[0], 3);
  assert.equal((await kvorum('http://127.0.0.1:1', ['get', 'a', '--timeout', '500']))[0], 4);
  server.faults.push({ type: 'delay', ms: 1_000 });
  assert.equal((await kvorum(server.url, ['--timeout', '200', 'get', 'a']))[0], 5);
});

test('export writes every entry, and fails where the stream breaks', async () => {
  await using server = await TestServer.start();
  await kvorum(server.url, ['put', 'a', 'one']);
  assert.match(
    (await kvorum(server.url, ['export']))[1],
    /^\{"key":"a","value":"one","version":"[^\n]+\}\n$/,
  );
  for (let fault = 0; fault < 9; fault += 1) server.faults.push({ type: 'cut-stream' });
  assert.equal((await kvorum(server.url, ['export']))[0], 4);
});
