import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KvorumClient } from '@kvorum/client';
import { ClusterError } from '../../store/cluster/cluster-admin.ts';
import { startTestServer, type TestServer } from '../../store/io/http/test-server.ts';
import type { Session } from '../lib/session.ts';
import { preStop } from './pre-stop.ts';

const KVORUM = fileURLToPath(new URL('../kvorum', import.meta.url));

type Run = { readonly code: number; readonly out: string; readonly err: string };

/** Runs `kvorum nodes prestop` as a process, as the kubelet does. */
async function prestop(url: string, ...args: readonly string[]): Promise<Run> {
  const child = spawn(KVORUM, ['nodes', 'prestop', ...args], { env: { ...process.env, KVORUM_URL: url } });
  const code = new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, err };
}

/** Four members, and four partitions on the first three; the node is node-1, and leads. */
async function placed(): Promise<TestServer> {
  const server = await startTestServer({ retryAfterSeconds: 0 });
  for (const name of ['node-2', 'node-3', 'node-4']) server.cluster.addMember(name);
  server.cluster.placePartitions([1, 2, 3]);
  return server;
}

test('prestop: a node that can be spared takes its lease, hands over what it leads, and is done', async () => {
  await using server = await placed();
  const { code, out, err } = await prestop(server.url, '--serve', '0');
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^node-1 may stop: yes, until .*\nnode-2 leads now\n$/);
  assert.deepEqual(
    [server.cluster.leader, server.cluster.state?.stopLeases.map(({ member }) => member)],
    [2, [1]],
  );
  assert.equal(server.stops(), 0, 'it is stopped by whoever runs the hook');
});

test('prestop: waits for a member that is away, and goes on when it is back', async () => {
  await using server = await placed();
  server.cluster.liveness.set(3, 'dead');
  const running = prestop(server.url, '--serve', '0', '--wait', '60');
  const asked = server.cluster.canStop.bind(server.cluster);
  server.cluster.canStop = async (name, options) => {
    const answer = await asked(name, options);
    if (!answer.canStop) server.cluster.liveness.delete(3); // it comes back after the first no
    return answer;
  };
  const { code, out } = await running;
  assert.equal(code, 0);
  assert.match(out, /^node-1 may stop: yes/);
});

test('prestop: of a cluster that is deleted nobody waits for anybody', async () => {
  await using server = await placed();
  server.cluster.liveness.set(3, 'dead');
  await using client = new KvorumClient({ url: server.url });
  let asked = 0;
  const service = { ask: async () => ++asked === 2 };
  const session = { url: server.url, timeout: 5000, client } as Session;
  const startMs = performance.now();
  await preStop(session, { waitMs: 60_000, serveMs: 60_000 }, { service });
  assert.equal(asked, 2);
  assert.ok(performance.now() - startMs < 10_000);
  assert.deepEqual([server.cluster.leader, server.cluster.state?.stopLeases], [1, []]);
});

test('prestop: with no more time it says why, and exits with 1', async () => {
  await using server = await placed();
  server.cluster.liveness.set(3, 'dead');
  const { code, err } = await prestop(server.url, '--wait', '0');
  assert.equal(code, 1);
  assert.match(err, /node-1 is not to stop, and there is no more time: no\n {2}.*2 are needed/s);
  assert.deepEqual([server.cluster.leader, server.cluster.state?.stopLeases], [1, []]);
});

test('prestop: without a leader nobody can tell, so it asks until its time is over', async () => {
  await using server = await placed();
  server.cluster.failure = new ClusterError('NO_LEADER', 'gone');
  const { code, err } = await prestop(server.url, '--wait', '1');
  assert.equal(code, 1);
  assert.match(err, /there is no more time: NO_LEADER/);
});

test('prestop: a node that is of no cluster, and one whose replicas can never be spared, wait for nothing', async () => {
  await using waiting = await startTestServer({ retryAfterSeconds: 0 });
  waiting.cluster.state = undefined;
  assert.deepEqual(await prestop(waiting.url), {
    code: 0,
    out: 'node-1 is waiting: nobody misses it\n',
    err: '',
  });

  await using server = await placed();
  const state = server.cluster.state;
  assert.ok(state);
  server.cluster.state = { ...state, settings: { ...state.settings, replicationFactor: 2 } };
  server.cluster.liveness.set(3, 'dead');
  const { code, out } = await prestop(server.url, '--serve', '0', '--wait', '60');
  assert.equal(code, 0);
  assert.match(out, /^node-1 stops, with 2 replicas of each key: no\n/);
});

test('prestop: serves on for a while, for clients that do not know yet', async () => {
  await using server = await placed();
  const startMs = performance.now();
  const { code } = await prestop(server.url, '--serve', '2');
  assert.equal(code, 0);
  assert.ok(performance.now() - startMs >= 2000);
});
