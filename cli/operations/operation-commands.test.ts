import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Operation } from '@kvorum/client';
import { ClusterError } from '../../store/cluster/cluster-admin.ts';
import { toEpoch } from '../../store/core/topology/types.ts';
import { startTestServer, type TestServer } from '../../store/io/http/test-server.ts';
import { operationLine } from './operation-text.ts';

const KVORUM = fileURLToPath(new URL('../kvorum', import.meta.url));

function start(url: string, args: readonly string[]) {
  return spawn(KVORUM, args, { env: { ...process.env, KVORUM_URL: url, NO_COLOR: '1' } });
}

function closed(child: ReturnType<typeof start>): Promise<number> {
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? -1)));
}

/** Runs the command line as a process; gives exit code, standard output and standard error. */
async function kvorum(url: string, args: readonly string[], input = ''): Promise<[number, string, string]> {
  const child = start(url, args);
  child.stdin.end(input);
  const end = closed(child);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return [await end, out, err];
}

/** Four members, and four partitions on the first three. */
async function placed(): Promise<TestServer> {
  const server = await startTestServer({ retryAfterSeconds: 0 });
  for (const name of ['node-2', 'node-3', 'node-4']) server.cluster.addMember(name);
  server.cluster.placePartitions([1, 2, 3]);
  return server;
}

/** The next text on standard error. */
async function nextError(child: ReturnType<typeof start>): Promise<string> {
  const chunk = await new Promise((resolve) => child.stderr.once('data', resolve));
  return String(chunk);
}

test('drain, operations and cancel, each as often as one likes', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const drains = 'node-2 drains since epoch 6; kvorum operations tells how far it is\n';
  for (const _ of ['once', 'twice'])
    assert.deepEqual(await kvorum(url, ['drain', 'node-2']), [0, drains, '']);
  cluster.startMove(0, [1, 4, 3]);
  const [, table] = await kvorum(url, ['operations']);
  const [heading, row] = table.split('\n').map((line) => line.split(/ {2,}/));
  assert.deepEqual(heading, ['OPERATION', 'LEFT', 'MOVING', 'JOINT', 'TRANSFER', 'SWITCH', 'BLOCKED BY']);
  assert.deepEqual(row?.slice(0, 6), ['drain-node-2', '4', '1', '1', '0', '0']);
  const [, json] = await kvorum(url, ['operations', '--output', 'json']);
  assert.equal(JSON.parse(json).operations[0].id, 'drain-node-2');
  assert.match((await kvorum(url, ['nodes']))[1], /^node-2 +2 +alive, draining /m);
  assert.match((await kvorum(url, ['topology']))[1], /^partitions .* 1 moving, replicas: /m);
  const cancel = ['drain', 'node-2', '--cancel'];
  for (const _ of ['once', 'twice'])
    assert.deepEqual(await kvorum(url, cancel), [0, 'node-2 does not drain, epoch 8\n', '']);
});

test('drain --wait shows what is left and ends when nothing is', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const child = start(url, ['drain', 'node-2', '--wait']);
  const [end, out] = [closed(child), text(child.stdout)];
  assert.match(await nextError(child), /^4 of 4 partitions left, 0 moving/);
  cluster.failure = new ClusterError('NO_LEADER', 'an election is on');
  setTimeout(() => {
    cluster.failure = undefined;
    cluster.placePartitions([1, 3, 4]);
  }, 300);
  assert.equal(await out, 'node-2 holds no data any more; kvorum nodes remove node-2 removes it\n');
  assert.equal(await end, 0);
  assert.match((await kvorum(url, ['operations']))[1], /^drain-node-2 +0 .*- \(done\)$/m);
  assert.equal((await kvorum(url, ['nodes', 'remove', 'node-2', '--yes']))[0], 0);
});

test('interrupted, drain --wait leaves the drain going and says how to end it', async () => {
  await using server = await placed();
  const child = start(server.url, ['drain', 'node-2', '--wait']);
  const end = closed(child);
  await nextError(child);
  const said = nextError(child);
  child.kill('SIGINT');
  assert.match(await said, /the drain of node-2 goes on; kvorum drain node-2 --cancel ends it\n$/);
  assert.equal(await end, 130);
  assert.equal(server.cluster.state?.members.get(2)?.isDraining, true);
});

test('drain --wait ends where somebody else cancels the drain', async () => {
  await using server = await placed();
  const child = start(server.url, ['drain', 'node-2', '--wait']);
  const end = closed(child);
  await nextError(child);
  const said = nextError(child);
  await server.cluster.cancelOperation(toEpoch(6));
  assert.match(await said, /was cancelled, or the member removed, by somebody else/);
  assert.equal(await end, 3);
});

test('what cannot be drained is refused with the reason; wrong usage reaches no node', async () => {
  await using server = await placed();
  const { url } = server;
  assert.equal((await kvorum(url, ['drain', 'node-4']))[0], 0);
  const [few, , why] = await kvorum(url, ['drain', 'node-3']);
  assert.equal(few, 3);
  assert.match(why, /TOO_FEW_MEMBERS: .*each partition needs 3.* Start another node/);
  for (const args of [
    ['drain', 'nobody'],
    ['drain', 'nobody', '--cancel'],
    ['can-stop', 'nobody'],
  ]) {
    const [code, , err] = await kvorum(url, args);
    assert.deepEqual([code, /MEMBER_NOT_FOUND/.test(err)], [3, true], args.join(' '));
  }
  const [owns, , err] = await kvorum(url, ['nodes', 'remove', 'node-3', '--yes']);
  assert.deepEqual([owns, /MEMBER_OWNS_DATA/.test(err)], [3, true], err);
  for (const args of [
    ['drain'],
    ['drain', 'node-3', '--wait', '--cancel'],
    ['can-stop'],
    ['operations', 'x'],
  ]) {
    const [code, , usage] = await kvorum('http://127.0.0.1:1', args);
    assert.equal(code, 2, `${args.join(' ')}: ${usage}`);
  }
});

test('can-stop answers by its exit code, with the reasons where not', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const yes = 'yes: every quorum is kept without it\n';
  assert.deepEqual(await kvorum(url, ['can-stop', 'node-2']), [0, yes, '']);
  cluster.liveness.set(3, 'dead');
  const [code, out, err] = await kvorum(url, ['can-stop', 'node-2']);
  assert.deepEqual([code, err], [1, 'kvorum: node-2 cannot be stopped now\n']);
  assert.match(
    out,
    /^no\n {2}4 partitions \(0, 1, 2, 3\) would have 1 of 3 replicas up; 2 are needed\n {2}without/,
  );
  const [jsonCode, json] = await kvorum(url, ['can-stop', 'node-2', '--output', 'json']);
  assert.deepEqual([jsonCode, JSON.parse(json).partitions], [1, [0, 1, 2, 3]]);
});

test('the shell has operations and can-stop; nothing under way is said so', async () => {
  await using server = await startTestServer();
  const [code, out] = await kvorum(server.url, ['shell'], 'operations\ncan-stop node-1\n');
  assert.equal(code, 1);
  assert.match(out, /^nothing is under way: all data is where it should be\nno\n/);
});

test('operationLine: how much is left of the most that there was, with a bar on a terminal', () => {
  const operation: Operation = {
    ...{ id: 'drain-a', type: 'drain', member: 'a', partitionsLeft: 3, partitionsMoving: 2 },
    stages: { joint: 1, transfer: 1, switch: 0 },
  };
  assert.equal(operationLine(operation, 12, { withBar: false }), '3 of 12 partitions left, 2 moving');
  assert.equal(
    operationLine({ ...operation, blockedBy: '1 partition: x' }, 12, { withBar: true }),
    `[${'#'.repeat(18)}${'.'.repeat(6)}] 3 of 12 partitions left, 2 moving  blocked by 1 partition: x`,
  );
});
