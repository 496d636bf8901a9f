import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { freePort, ServerProcess } from '../e2e/lib/server-process.ts';

const directory = mkdtempSync(`${tmpdir()}/kvorum-server-`);
after(() => rmSync(directory, { recursive: true, force: true }));

function kvorum(args: readonly string[], environment: Record<string, string> = {}) {
  return spawnSync(process.execPath, ['cli/main.ts', ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 20_000,
  });
}

test('kvorum config prints each setting with where it came from', () => {
  const file = `${directory}/kvorum.yaml`;
  writeFileSync(file, 'http:\n  port: 7777\n');
  const { stdout, status } = kvorum(
    ['--output', 'json', 'config', '--config', file, '--set', 'log.level=warn'],
    { KVORUM_NODE_NAME: 'kv-9' },
  );
  assert.equal(status, 0);
  const { settings } = JSON.parse(stdout) as { settings: { name: string; value: unknown; origin: string }[] };
  const found = (name: string): string => {
    const setting = settings.find((each) => each.name === name);
    return `${setting?.value} ${setting?.origin}`;
  };
  assert.equal(found('http.port'), `7777 file ${file}`);
  assert.equal(found('node.name'), 'kv-9 environment KVORUM_NODE_NAME');
  assert.equal(found('log.level'), 'warn flag --set log.level=warn');
  assert.equal(found('clock.aheadMs'), '400 default');
});

test('a wrong setting stops the start with its path, what is allowed and where it came from', () => {
  const { stderr, status } = kvorum(['server', '--http-port', 'high', '--set', 'storage.engin=x']);
  assert.equal(status, 2);
  assert.match(stderr, /flag --http-port: http\.port is "high": .*expected number/);
  assert.match(stderr, /there is no setting 'storage\.engin'; did you mean 'storage\.engine'/);
});

test('scenario 10: a second start on the same directory fails with a clear error', async () => {
  for (const engine of ['rocksdb', 'leveldb']) {
    const options = {
      directory: `${directory}/twice-${engine}`,
      port: await freePort(),
      settings: { 'storage.engine': engine, 'storage.reserveBytes': 0 },
    };
    const first = await ServerProcess.start(options);
    const second = ServerProcess.spawn({ ...options, port: await freePort() });
    assert.equal(await second.exited, 3);
    assert.match(second.logTail(), /is in use by another/);
    assert.equal(await first.stop(), 0);
  }
});

test('a node that cannot start ends, with its engine open already', () => {
  const settings = [`node.dataDir=${directory}/ends`, 'http.host=203.0.113.1', 'http.port=0'];
  const { status, stderr } = kvorum(['server', ...settings.flatMap((each) => ['--set', each])]);
  assert.equal(status, 3, stderr);
});

test('a port that is taken is a clear error', async () => {
  const port = await freePort();
  const first = await ServerProcess.start({
    directory: `${directory}/port-1`,
    port,
    settings: { 'storage.engine': 'memory' },
  });
  const second = ServerProcess.spawn({
    directory: `${directory}/port-2`,
    port,
    settings: { 'storage.engine': 'memory' },
  });
  assert.equal(await second.exited, 3);
  assert.match(second.logTail(), /EADDRINUSE|in use/);
  await first.stop();
});

test('scenario 7: keys with spaces and accents, multi-read, overwrite returns the last; all of it after a restart too', async () => {
  const options = {
    directory: `${directory}/accents`,
    port: await freePort(),
    settings: { 'storage.reserveBytes': 0 },
  };
  let server = await ServerProcess.start(options);
  const keys = ['plain', 'with space', 'éàü', '日本', 'a/b', 'ends with /'];
  const url = (key: string): string => `${server.url}/v1/kv/default/${encodeURIComponent(key)}`;
  for (const round of ['first', 'last']) {
    for (const key of keys)
      assert.equal((await fetch(url(key), { method: 'PUT', body: `${round} ${key}` })).status, 204);
  }
  const read = async (): Promise<string[]> => {
    const operations = keys.map((key) => ({ op: 'get', key }));
    const answer = await fetch(`${server.url}/v1/kv/default:batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operations }),
    });
    return ((await answer.json()) as { results: { value: string }[] }).results.map(({ value }) => value);
  };
  const expected = keys.map((key) => `last ${key}`);
  assert.deepEqual(await read(), expected);
  assert.equal(await server.stop(), 0);
  server = await ServerProcess.start(options);
  assert.deepEqual(await read(), expected);
  await server.kill();
  server = await ServerProcess.start(options);
  assert.deepEqual(await read(), expected);
  await server.stop();
});

test('SIGTERM lets a request in flight finish, and exits 0 in seconds', async () => {
  const server = await ServerProcess.start({
    directory: `${directory}/term`,
    port: await freePort(),
    settings: { 'storage.reserveBytes': 0 },
  });
  let push: ((chunk: Uint8Array | undefined) => void) | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      push = (chunk) => (chunk === undefined ? controller.close() : controller.enqueue(chunk));
    },
  });
  const put = fetch(`${server.url}/v1/kv/default/slow`, {
    method: 'PUT',
    body,
    duplex: 'half',
  } as RequestInit);
  push?.(Buffer.from('begun '));
  // The request is known to be in flight once its first bytes are counted.
  await inFlight(server.url);
  const stopped = server.stop();
  push?.(Buffer.from('and finished'));
  push?.(undefined);
  assert.equal((await put).status, 204);
  assert.equal(await stopped, 0);
});

async function inFlight(url: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    if (Number(/^kvorum_http_in_flight_requests (\d+)/m.exec(metrics)?.[1]) > 1) return;
  }
  assert.fail('the request was never in flight');
}

test('docs/configuration.md lists every setting as the table of settings has it', async () => {
  const { configurationPage } = await import('../store/config/configuration-page.ts');
  const path = 'docs/configuration.md';
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, configurationPage());
  assert.equal(
    readFileSync(path, 'utf8'),
    configurationPage(),
    'UPDATE_GOLDEN=1 ./dev.sh test server-commands rewrites it',
  );
});
