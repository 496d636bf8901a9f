import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { runCli } from '../../e2e/lib/run-cli.ts';
import { freePort, ServerProcess } from '../../e2e/lib/server-process.ts';
import { TestDirectory } from '../../e2e/lib/test-directory.ts';

const NO_NODE = 'http://127.0.0.1:1';
const recover = (...args: readonly string[]) => runCli(NO_NODE, ['cluster', 'recover', ...args]);

test('a directory that is no data directory is refused, and stays as it was', () => {
  using directory = new TestDirectory();
  for (const name of ['missing', 'empty']) {
    const path = `${directory.path}/${name}`;
    if (name === 'empty') mkdirSync(path);
    const { status, stderr } = recover('--data-dir', path);
    assert.equal(status, 3, stderr);
    assert.match(stderr, /is no data directory of a node/);
    assert.equal(existsSync(`${path}/rocksdb`), false);
  }
  const { status, stderr } = recover();
  assert.deepEqual([status, /--data-dir/.test(stderr)], [2, true]);
});

test('kvorum cluster names recover too', () => {
  const { stderr, stdout } = runCli(NO_NODE, ['cluster']);
  assert.match(stderr + stdout, /recover \[options\]/);
});

test('the directory of a node that is of no cluster is refused; of a node that is alone it is reported', async () => {
  for (const [engine, bootstrap] of [
    ['leveldb', 'false'],
    ['leveldb', 'true'],
    ['rocksdb', 'true'],
  ] as const) {
    using directory = new TestDirectory();
    const server = ServerProcess.spawn({
      directory: directory.path,
      port: await freePort(),
      settings: { 'storage.engine': engine, 'storage.reserveBytes': 0, 'cluster.bootstrap': bootstrap },
    });
    const isAlive = () => fetch(`${server.url}/livez`).catch(() => undefined);
    while ((await isAlive())?.ok !== true) assert.equal(server.hasExited, false, server.logTail());
    if (bootstrap === 'true') assert.ok(await server.waitReady(20_000));
    await server.stop();
    const { status, stdout, stderr } = recover('--data-dir', `${directory.path}/data`);
    if (bootstrap === 'false') assert.deepEqual([status, /of no cluster/.test(stderr)], [3, true], stderr);
    else assert.deepEqual([status, /starting it is enough/.test(stdout)], [0, true], stderr);
    const other = engine === 'rocksdb' ? 'leveldb' : 'rocksdb';
    const wrong = recover('--data-dir', `${directory.path}/data`, '--engine', other);
    assert.deepEqual([wrong.status, wrong.stderr.includes(`holds a ${engine} store`)], [3, true]);
  }
});
