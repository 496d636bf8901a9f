import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { KvorumClient, KvorumResponseError, type NodeConfig } from '../client/src/index.ts';
import { runCli } from './lib/run-cli.ts';
import { freePort, ServerProcess } from './lib/server-process.ts';
import { TestDirectory } from './lib/test-directory.ts';

/** A real node whose settings file is replaced while it runs, as Kubernetes replaces a mounted ConfigMap. The tests follow each other. */
const opts = { timeout: 60_000 };
const DEADLINE_MS = 20_000;
const TIB = 2 ** 40;

const directory = new TestDirectory();
const mounted = `${directory.path}/mounted`;
let server: ServerProcess;
let client: KvorumClient;
let respPort: number;
let versions = 0;

before(async () => {
  const [port, resp] = [await freePort(), await freePort()];
  respPort = resp;
  mkdirSync(mounted);
  symlinkSync('..data/kvorum.yaml', `${mounted}/kvorum.yaml`);
  writeSettings({});
  server = await ServerProcess.start({
    ...{ directory: `${directory.path}/node`, port, settings: { 'resp.port': resp } },
    environment: { KVORUM_CONFIG: `${mounted}/kvorum.yaml` },
  });
  client = new KvorumClient({ url: server.url });
});

after(async () => {
  await client?.close();
  await server?.kill();
  directory[Symbol.dispose]();
});

type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function writeSettings(sections: Sections): void {
  writeText(stringify({ ...sections, storage: { reserveBytes: 0, ...sections.storage } }));
}

/** A directory of its own, to which one link is turned: nobody sees half of it. */
function writeText(text: string): void {
  const version = `..version-${++versions}`;
  mkdirSync(`${mounted}/${version}`);
  writeFileSync(`${mounted}/${version}/kvorum.yaml`, text);
  symlinkSync(version, `${mounted}/..next`);
  renameSync(`${mounted}/..next`, `${mounted}/..data`);
  rmSync(`${mounted}/..version-${versions - 1}`, { recursive: true, force: true });
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() >= endMs) assert.fail(`not within ${DEADLINE_MS} ms: ${what}\n${server.logTail()}`);
    await sleep(20);
  }
}

async function untilConfig(isSo: (config: NodeConfig) => boolean, what: string): Promise<NodeConfig> {
  let config = await client.config();
  await until(async () => {
    config = await client.config();
    return isSo(config);
  }, what);
  return config;
}

async function metric(name: string): Promise<string | undefined> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1);
}

const settingOf = (config: NodeConfig, name: string) => config.settings.find((each) => each.name === name);

test(
  'a reserve that is raised refuses writes, and lets them in again where it is lowered',
  opts,
  async () => {
    await client.put('default', 'a', '1');
    writeSettings({ storage: { reserveBytes: TIB } });
    const code = async (): Promise<string | undefined> => {
      try {
        await client.put('default', 'a', '2', { timeoutMs: 1000 });
        return undefined;
      } catch (error) {
        return error instanceof KvorumResponseError ? error.code : String(error);
      }
    };
    await until(async () => (await code()) === 'STORAGE_FULL', 'writes are refused');
    assert.equal((await client.status()).storage.reserveBytes, TIB);
    writeSettings({});
    await until(async () => (await code()) === undefined, 'writes are taken');
  },
);

test(
  'limits and the log level of a node that runs: each counts from the next connection, request or line on',
  opts,
  async () => {
    const sections = {
      http: { inFlightBytesMax: 1 << 20 },
      resp: { connectionsMax: 1, keysMax: 1, redirect: 'owner' },
      log: { level: 'error' },
    };
    writeSettings(sections);
    await untilConfig((config) => settingOf(config, 'resp.keysMax')?.value === 1, 'the file is read');
    const large = { method: 'PUT', body: Buffer.alloc(2 << 20) };
    assert.equal((await fetch(`${server.url}/v1/kv/default/b`, large)).status, 503);
    await client.put('default', 'b', '1');
    const one = await respConnection();
    assert.match(await said(one, 'KEYS *\r\n'), /REPLY_TOO_LARGE more than 1 keys match/);
    assert.match(await said(await respConnection(), ''), /max number of clients/);
    const logged = server.log();
    writeSettings({ ...sections, resp: { keysMax: 10 } });
    await untilConfig((config) => settingOf(config, 'resp.keysMax')?.value === 10, 'the file is read');
    assert.match(await said(one, 'KEYS *\r\n'), /^\*2\r\n/);
    assert.equal(server.log(), logged, 'a change is told at the level info');
    one.destroy();
    writeSettings({ http: { connectionsMax: 1 } });
    await until(() => server.log() !== logged, 'the log tells more again');
    await assert.rejects(
      Promise.all([1, 2, 3].map(() => fetch(`${server.url}/livez`, { headers: { connection: 'close' } }))),
    );
    writeSettings({});
    await until(
      async () =>
        await client.config().then(
          (config) => settingOf(config, 'http.connectionsMax')?.value === 10_000,
          () => false,
        ),
      'connections are taken again',
    );
  },
);

test(
  'a setting that needs a restart is named and not applied; the others of the same file are',
  opts,
  async () => {
    const startedAt = (await client.status()).startedAt;
    writeSettings({ node: { zone: 'b' }, hints: { bytesMax: 5 } });
    const config = await untilConfig(({ restartNeeded }) => restartNeeded.length > 0, 'the file is read');
    assert.deepEqual(config.restartNeeded, ['node.zone']);
    const zone = settingOf(config, 'node.zone');
    assert.deepEqual([zone?.value, zone?.isLive, zone?.afterRestart], ['', false, 'b']);
    const file = `file ${mounted}/kvorum.yaml`;
    const hints = { name: 'hints.bytesMax', value: 5, origin: file, isLive: true };
    assert.deepEqual(settingOf(config, 'hints.bytesMax'), hints);
    assert.match(server.log(), /restart needed for: node\.zone/);
    assert.equal(await metric('kvorum_config_restart_needed'), '1');
    const told = await runCli(server.url, ['nodes', 'config']);
    assert.match(told.stdout, /node\.zone +\S* *.*after a restart: b/);
    assert.deepEqual((await client.status()).config?.restartNeeded, ['node.zone']);
    writeSettings({});
    await untilConfig(({ restartNeeded }) => restartNeeded.length === 0, 'it is taken back');
    assert.ok(Math.abs(Date.parse((await client.status()).startedAt) - Date.parse(startedAt)) < 5000);
  },
);

test(
  'a file that cannot be used changes nothing, and says why until there is one that can',
  opts,
  async () => {
    const { fileHash } = await client.config();
    writeText('hints:\n  bytesMax: 7\n  ageMsMax: soon\n');
    const wrong = await untilConfig(({ problem }) => problem !== undefined, 'the file is refused');
    assert.match(wrong.problem ?? '', /kvorum\.yaml cannot be used: .*hints\.ageMsMax is "soon"/);
    assert.deepEqual([wrong.fileHash, settingOf(wrong, 'hints.bytesMax')?.value], [fileHash, 256 << 20]);
    assert.notEqual(wrong.refusedHash, fileHash);
    assert.equal(await metric('kvorum_config_file_stale'), '1');
    const lines = server
      .log()
      .split('\n')
      .filter((line) => line.includes('a new settings file cannot be used'));
    assert.equal(lines.length, 1, 'told once');
    writeText(
      'storage:\n  reserveBytes: 0\nreplication:\n  requestTimeoutMs: 60000\n  requestTimeoutMsMax: 100\n',
    );
    await untilConfig(
      ({ problem }) => /must not be above/.test(problem ?? ''),
      'the next is refused for another reason',
    );
    rmSync(`${mounted}/..data`);
    await untilConfig(({ problem }) => /ENOENT/.test(problem ?? ''), 'there is no file');
    writeSettings({ hints: { bytesMax: 7 } });
    const right = await untilConfig(({ problem }) => problem === undefined, 'the right one is read');
    assert.equal(settingOf(right, 'hints.bytesMax')?.value, 7);
    assert.equal(await metric('kvorum_config_file_stale'), '0');
  },
);

test('SIGHUP reads the file, and ends nothing', opts, async () => {
  writeSettings({ hints: { bytesMax: 8 } });
  process.kill(server.pid, 'SIGHUP');
  await untilConfig((config) => settingOf(config, 'hints.bytesMax')?.value === 8, 'the file is read');
  assert.equal(server.hasExited, false);
  assert.equal(await server.stop(), 0);
});

function respConnection(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(respPort, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** The next bytes that come. */
function said(socket: Socket, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('error', reject);
    socket.write(command);
  });
}
