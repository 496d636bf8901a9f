import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { environmentName, SETTING_NAMES } from '../store/config/settings.ts';
import { TestDirectory } from './lib/test-directory.ts';

/** docs/examples/compose.yaml. There need be no container engine: its nodes are started as processes, with what the file gives them. */

const FILE = new URL('../docs/examples/compose.yaml', import.meta.url);
const READY_DEADLINE_MS = 60_000;
const LOOK_MS = 250;

type Service = {
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly read_only: boolean;
  readonly tmpfs: readonly string[];
};
type ComposeFile = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const compose = parse(readFileSync(FILE, 'utf8'), { merge: true }) as ComposeFile;
const services = Object.entries(compose.services);

test('compose.yaml: three nodes that differ in what must differ, and only settings that there are', () => {
  assert.deepEqual(
    services.map(([name]) => name),
    ['kvorum-1', 'kvorum-2', 'kvorum-3'],
  );
  const known = new Set(SETTING_NAMES.map(environmentName));
  for (const [name, { environment, build, volumes, read_only, tmpfs }] of services) {
    assert.deepEqual(
      Object.keys(environment).filter((each) => !known.has(each)),
      [],
      name,
    );
    assert.equal(environment.KVORUM_NODE_NAME, name);
    assert.equal(environment.KVORUM_PEER_ADVERTISE, `${name}:7401`);
    assert.ok(existsSync(new URL(`${build.context}/${build.dockerfile}`, FILE)), build.dockerfile);
    assert.deepEqual([read_only, tmpfs], [true, ['/tmp']], 'only these can be written to');
    const [volume = '', path = ''] = volumes[0]?.split(':') ?? [];
    assert.ok(volume in compose.volumes && environment.KVORUM_NODE_DATA_DIR?.startsWith(`${path}/`), volume);
  }
  for (const unique of [({ ports }: Service) => ports[0], ({ volumes }: Service) => volumes[0]])
    assert.equal(new Set(services.map(([, service]) => unique(service))).size, services.length);
  const making = services.filter(([, { environment }]) => environment.KVORUM_CLUSTER_BOOTSTRAP !== undefined);
  assert.equal(making.length, 1, 'one node makes the cluster');
});

test('compose.yaml: its nodes find each other, are healthy by its probe, and serve', async () => {
  using directory = new TestDirectory();
  // A network of this run alone, so that ports are free.
  const network = `127.${randomInt(64, 127)}.${randomInt(1, 255)}`;
  const addresses = Object.fromEntries(services.map(([name], index) => [name, `${network}.${index + 1}`]));
  const children = services.map(([name, service]) => start(service, `${directory.path}/${name}`, addresses));
  try {
    for (const [name, { healthcheck }] of services) await healthy(healthcheck.test, addresses[name] ?? '');
    const url = (name: string): string => `http://${addresses[name]}:7400/v1/kv/default/hello`;
    assert.equal((await fetch(url('kvorum-1'), { method: 'PUT', body: 'world' })).status, 204);
    assert.equal(await (await fetch(url('kvorum-3'))).text(), 'world');
  } finally {
    for (const child of children) await end(child);
  }
});

function start(
  { command, environment }: Service,
  directory: string,
  addresses: Readonly<Record<string, string>>,
): ChildProcess {
  const host = addresses[environment.KVORUM_NODE_NAME ?? ''] ?? '';
  const own = {
    KVORUM_NODE_DATA_DIR: directory,
    KVORUM_HTTP_HOST: host,
    KVORUM_PEER_HOST: host,
    KVORUM_RESP_HOST: host,
  };
  const env = {
    PATH: process.env.PATH,
    ...environment,
    ...own,
    HOST_NAMES: JSON.stringify(addresses),
    KVORUM_STORAGE_RESERVE_BYTES: '0',
  };
  const args = ['--import', './e2e/lib/host-names.ts', 'cli/main.ts', ...command];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

async function healthy([kind, program, ...args]: readonly string[], address: string): Promise<void> {
  assert.deepEqual([kind, program], ['CMD', 'node'], 'the image has no shell');
  const deadlineMs = performance.now() + READY_DEADLINE_MS;
  const own = args.map((arg) => arg.replace('127.0.0.1', address));
  while (spawnSync(process.execPath, own).status !== 0) {
    assert.ok(performance.now() < deadlineMs, `${address} is not ready`);
    await sleep(LOOK_MS);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
