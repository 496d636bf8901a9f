import assert from 'node:assert/strict';
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { ClusterStatus } from '../store/cluster/cluster-admin.ts';
import { freePort } from './lib/server-process.ts';
import { TestDirectory } from './lib/test-directory.ts';

/** `./dev.sh up`, `status`, `logs`, `down` and `clean`, in a directory and on ports of their own. */
const MAIN = `${process.cwd()}/cli/local/main.ts`;
const directory = new TestDirectory();
const httpPort = await freePort();
/** Few partitions that begin to move soon: how long it takes goes by their number. */
const ENVIRONMENT = {
  LOCAL_HTTP_PORT: String(httpPort),
  KVORUM_CLUSTER_PARTITIONS: '32',
  KVORUM_CLUSTER_REBALANCE_AFTER_MS: '200',
};
after(async () => {
  await local('clean', '--yes');
  directory[Symbol.dispose]();
});

type Outcome = { readonly status: number | string; readonly stdout: string; readonly text: string };

function local(...args: readonly string[]): Promise<Outcome> {
  return run(args).ended;
}

function run(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Outcome> } {
  const { promise: ended, resolve } = Promise.withResolvers<Outcome>();
  const options = { cwd: directory.path, env: { ...process.env, ...ENVIRONMENT }, timeout: 60_000 };
  const child = execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
    resolve({ status: error?.code ?? (error === null ? 0 : 'killed'), stdout, text: stdout + stderr });
  });
  return { child, ended };
}

/** `scale N` on its way. */
function scaling(count: string) {
  const { child, ended } = run(['scale', count]);
  let text = '';
  child.stderr?.on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    ended,
    interrupt: () => child.kill('SIGINT'),
    until: async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text))
        if (child.exitCode === null) await once(child.stderr as NodeJS.EventEmitter, 'data');
        else throw new Error(`scale ${count} ended without ${pattern}: ${text}`);
    },
  };
}

async function memberOf(index: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${httpPort + 10 * (index - 1)}/v1/cluster`);
  const { clusterId, node } = (await answer.json()) as ClusterStatus;
  return `${clusterId} ${node.member}`;
}

function urlOf(index: number, key: string): string {
  return `http://127.0.0.1:${httpPort + 10 * (index - 1)}/v1/kv/default/${encodeURIComponent(key)}`;
}

/** `up` has waited until the node is ready, so the first request is served. */
async function writeAt(index: number, key: string): Promise<void> {
  const answer = await fetch(urlOf(index, key), { method: 'PUT', body: key });
  assert.equal(answer.status, 204, await answer.text());
}

async function readAt(index: number, key: string): Promise<string> {
  const answer = await fetch(urlOf(index, key));
  return answer.text();
}

function killNode(index: number): void {
  const { pid } = JSON.parse(readFileSync(`${directory.path}/.kvorum/node-${index}/pid`, 'utf8'));
  process.kill(pid as number, 'SIGKILL');
}

test('up starts a cluster, brings back what is down with its identity, and lets more nodes join', async () => {
  const first = await local('up', '3');
  assert.equal(first.status, 0, first.text);
  assert.match(first.stdout, /^up in [\d.]+ s: 3 nodes, 3 voters, leader kvorum-\d, epoch \d+/);
  const table = await local('status');
  assert.equal(table.status, 0, table.text);
  assert.match(table.stdout, /kvorum-3 +\d+ +member +\w+ +yes +alive/);
  const placed = /replicationFactor 3: each key lives on 3 nodes, and its requests need 2 of them$/m;
  assert.match(first.stdout, placed);
  assert.match(table.stdout, placed);
  await writeAt(2, 'survives');
  assert.match((await local('up')).stdout, /^already up: 3 nodes/);

  const before = await memberOf(2);
  killNode(2);
  const broken = await local('status');
  assert.equal(broken.status, 1);
  assert.match(broken.stdout, /not well: kvorum-2 is down/);
  assert.equal(await readAt(3, 'survives'), 'survives');
  const again = await local('up');
  assert.equal(again.status, 0, again.text);
  assert.equal(await memberOf(2), before);

  const fewer = await local('up', '2');
  assert.equal(fewer.status, 2);
  assert.match(fewer.text, /there are 3 nodes.*\.\/dev\.sh scale 2 moves the data/);
  const more = await local('up', '4');
  assert.equal(more.status, 0, more.text);
  assert.match(more.stdout, /4 nodes, 3 voters/);
  assert.equal(await readAt(4, 'survives'), 'survives');
});

test('after down and up all nodes are who they were', async () => {
  const before = await Promise.all([1, 2, 3, 4].map(memberOf));
  const down = await local('down');
  assert.equal(down.status, 0, down.text);
  assert.match((await local('status')).stdout, /kvorum-1 is down; kvorum-2 is down/);
  const up = await local('up');
  assert.equal(up.status, 0, up.text);
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(memberOf)), before);
  assert.equal(await readAt(1, 'survives'), 'survives');
});

test('logs are of one node, or of all with their names; wrong counts are refused; clean asks first', async () => {
  assert.match((await local('logs', '2')).stdout, /^\{.*"node":"kvorum-2"/);
  const all = (await local('logs')).stdout.split('\n');
  assert.ok(
    all.some((line) => line.startsWith('kvorum-1  {')) && all.some((line) => line.startsWith('kvorum-4  {')),
  );
  for (const count of ['0', 'many', '51', '1.5']) assert.equal((await local('up', count)).status, 2, count);
  assert.equal((await local('clean')).status, 1);
  assert.equal((await local('clean', '--yes')).status, 0);
  assert.equal((await local('status')).status, 1);
});

test('a cluster that began as one node stays at one copy when more join, says so, and keeps serving', async () => {
  const alone = await local('up', '1');
  assert.equal(alone.status, 0, alone.text);
  assert.match(
    alone.stdout,
    /replicationFactor 1: each key lives on one node, and its requests need that node$/m,
  );
  await writeAt(1, 'from before');
  const joined = await local('up', '2');
  assert.equal(joined.status, 0, joined.text);
  assert.match(joined.stdout, /replicationFactor 1: /);
  assert.equal(await readAt(2, 'from before'), 'from before');
});

test('scale takes the cluster up and down under its keys, goes on where another was interrupted, and refuses what cannot be', async () => {
  await local('clean', '--yes');
  assert.match((await local('scale', '3')).text, /no node of a local cluster .*\.\/dev\.sh up 3 starts one/);
  const up = await local('up', '3');
  assert.equal(up.status, 0, up.text);
  for (let i = 0; i < 20; i++) await writeAt(1 + (i % 3), `key-${i}`);
  for (const count of ['2', 'many', '51', '0', '']) {
    const refused = await local('scale', count);
    assert.equal(refused.status, 2, `${count}: ${refused.text}`);
    assert.match(refused.text, /\.\/dev\.sh scale \d|from 1 to 50/);
  }

  const more = await local('scale', '5');
  assert.equal(more.status, 0, more.text);
  assert.match(more.stdout, /^scaled in [\d.]+ s: 5 nodes/);
  assert.doesNotMatch(more.stdout, /no data on/);
  assert.equal(await readAt(5, 'key-7'), 'key-7');

  const down = scaling('3');
  await down.until(/draining kvorum-5/);
  down.interrupt();
  assert.match((await down.ended).text, /interrupted; .*scale N goes on to any N/);
  const turned = await local('scale', '4');
  assert.equal(turned.status, 0, turned.text);
  // Its drain may have been quicker: then it comes back empty.
  assert.match(turned.text, /keeping kvorum-4: its drain is cancelled|starting kvorum-4/);
  assert.match(turned.text, /deleted \.kvorum\/node-5/);
  assert.match(turned.stdout, /^scaled in [\d.]+ s: 4 nodes/);
  for (let i = 0; i < 20; i++) assert.equal(await readAt(4, `key-${i}`), `key-${i}`);

  const overtaken = scaling('5');
  await overtaken.until(/starting kvorum-5/);
  const last = await local('scale', '3');
  assert.match((await overtaken.ended).text, /another \.\/dev\.sh scale goes on from here/);
  assert.equal(last.status, 0, last.text);
  assert.equal((await local('status')).status, 0);
  for (let i = 0; i < 20; i++) assert.equal(await readAt(3, `key-${i}`), `key-${i}`);
});
