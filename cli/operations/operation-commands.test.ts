import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
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
  return spawn(KVORUM, args, { env: { ...process.env, KVORUM_URL: url, NO_COLOR: '1', USER: 'ann' } });
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
  const drains =
    'drain-6 runs; kvorum operations watch drain-6 shows how far it is, kvorum operations cancel drain-6 ends it\n';
  for (const _ of ['once', 'twice'])
    assert.deepEqual(await kvorum(url, ['drain', 'node-2']), [0, drains, '']);
  assert.match(cluster.operations().operations[0]?.by ?? '', new RegExp(`^ann@${hostname()}$`));
  cluster.startMove(0, [1, 4, 3]);
  const [, table] = await kvorum(url, ['operations']);
  const [heading, row] = table.split('\n').map((line) => line.split(/ {2,}/));
  assert.equal(heading?.join(), 'OPERATION,OF,STATE,SINCE,BY,LEFT,MOVING,JOINT,TRANSFER,SWITCH,BLOCKED BY');
  const [id, of, state, since, by, left, moving] = row ?? [];
  assert.deepEqual([id, of, state, left, moving], ['drain-6', 'node-2', 'running', '4 of 4', '1']);
  assert.deepEqual([/ ago$/.test(since ?? ''), by], [true, `ann@${hostname()}`]);
  const [, json] = await kvorum(url, ['operations', '--output', 'json']);
  assert.equal(JSON.parse(json).operations[0].id, 'drain-6');
  assert.match((await kvorum(url, ['nodes']))[1], /^node-2 +2 +alive, draining /m);
  assert.match((await kvorum(url, ['topology']))[1], /^partitions .* 1 moving, replicas: /m);
  const cancelled = 'drain-6 is cancelled; what has moved stays where it is\n';
  assert.deepEqual(await kvorum(url, ['drain', 'node-2', '--cancel']), [0, cancelled, '']);
  assert.deepEqual(await kvorum(url, ['operations', 'cancel', 'drain-6']), [0, cancelled, '']);
  assert.deepEqual(await kvorum(url, ['drain', 'node-2', '--cancel']), [0, 'node-2 does not drain\n', '']);
  const nothing = 'nothing is under way: all data is where it should be\n';
  assert.deepEqual(await kvorum(url, ['operations']), [0, nothing, '']);
  assert.match((await kvorum(url, ['operations', '--all']))[1], /^drain-6 +node-2 +cancelled /m);
});

test('replace, rebalance and factor are operations; a live member is replaced by force alone', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const before = cluster.state;
  const [refused, , why] = await kvorum(url, ['replace', 'node-2']);
  assert.deepEqual([refused, /MEMBER_ALIVE: .*node-2 is up/.test(why)], [3, true], why);
  const [many, , few] = await kvorum(url, ['factor', '5']);
  assert.deepEqual([many, /TOO_FEW_MEMBERS: .*4 members have started/.test(few)], [3, true], few);
  assert.equal(cluster.state, before, 'refusals change nothing');
  assert.match((await kvorum(url, ['replace', 'node-2', '--force']))[1], /^replace-6 runs; /);
  assert.match((await kvorum(url, ['rebalance']))[1], /^rebalance-7 runs; /);
  assert.match((await kvorum(url, ['factor', '2']))[1], /^factor-8 runs; /);
  cluster.endOperations([toEpoch(8)]);
  assert.deepEqual(await kvorum(url, ['factor', '2']), [0, 'nothing is to be done: it is so already\n', '']);
  const [, out] = await kvorum(url, ['operations', 'watch', 'factor-8']);
  assert.equal(out, 'each partition has 2 replicas\n');
  const [done, , err] = await kvorum(url, ['operations', 'cancel', 'factor-8']);
  assert.deepEqual([done, /OPERATION_NOT_CANCELLABLE/.test(err)], [3, true], err);
});

test('drain --wait shows what is left and ends when the member is removed', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const child = start(url, ['drain', 'node-2', '--wait']);
  const [end, out] = [closed(child), text(child.stdout)];
  assert.match(await nextError(child), /^4 of 4 partitions left, 0 moving/);
  cluster.placePartitions([1, 3, 4]);
  cluster.endOperations();
  assert.equal(await out, 'node-2 holds no data any more and was removed\n');
  assert.equal(await end, 0);
  assert.match((await kvorum(url, ['operations', '--all']))[1], /^drain-6 +member-2 +done .* 0 of 4 .*-$/m);
});

test('watching goes on where a node fails half way', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const { operation = '' } = await cluster.startOperation({ type: 'drain', member: 'node-2', by: 'a test' });
  const child = start(url, ['operations', 'watch', operation, '--output', 'json']);
  const [end, out] = [closed(child), text(child.stdout)];
  await nextError(child);
  const { state } = cluster;
  cluster.state = undefined;
  setTimeout(() => {
    cluster.state = state;
    cluster.placePartitions([1, 3, 4]);
    cluster.endOperations();
  }, 1500);
  assert.deepEqual([JSON.parse(await out).member, await end], ['node-2', 0]);
});

test('interrupted, a wait leaves the operation going and says how to end it', async () => {
  await using server = await placed();
  const child = start(server.url, ['drain', 'node-2', '--wait']);
  const end = closed(child);
  await nextError(child);
  const said = nextError(child);
  child.kill('SIGINT');
  assert.match(await said, /drain-6 goes on; .* kvorum operations cancel drain-6 ends it\n$/);
  assert.equal(await end, 130);
  assert.equal(server.cluster.state?.members.get(2)?.isDraining, true);
});

test('a wait ends where somebody else cancels the operation', async () => {
  await using server = await placed();
  const child = start(server.url, ['drain', 'node-2', '--wait']);
  const end = closed(child);
  await nextError(child);
  const said = nextError(child);
  await server.cluster.cancelOperation(toEpoch(6));
  assert.match(await said, /drain-6 was cancelled; what has moved stays where it is/);
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
    ['replace', 'nobody'],
    ['can-stop', 'nobody'],
    ['nodes', 'update', 'nobody', '--weight', '7'],
  ]) {
    const [code, , err] = await kvorum(url, args);
    assert.deepEqual([code, /MEMBER_NOT_FOUND/.test(err)], [3, true], args.join(' '));
  }
  for (const verb of ['watch', 'cancel']) {
    const [code, , err] = await kvorum(url, ['operations', verb, 'drain-9']);
    assert.deepEqual([code, /OPERATION_NOT_FOUND: .*known are drain-6/.test(err)], [3, true], err);
  }
  const [owns, , err] = await kvorum(url, ['nodes', 'remove', 'node-3', '--yes']);
  assert.deepEqual([owns, /MEMBER_OWNS_DATA/.test(err)], [3, true], err);
  for (const args of [
    ['drain'],
    ['drain', 'node-3', '--wait', '--cancel'],
    ['can-stop'],
    ['operations', 'x'],
    ['operations', 'watch'],
    ['factor', '10'],
    ['rebalance', 'node-3'],
    ['nodes', 'update', 'node-3'],
    ['nodes', 'update', 'node-3', '--weight', '0'],
  ]) {
    const [code, , usage] = await kvorum('http://127.0.0.1:1', args);
    assert.equal(code, 2, `${args.join(' ')}: ${usage}`);
  }
});

test('can-stop answers by its exit code, with the reasons where not', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const yes = 'yes: every quorum is kept without it\n';
  assert.deepEqual(await kvorum(url, ['can-stop', 'node-2', '--look']), [0, yes, '']);
  assert.deepEqual(await kvorum(url, ['can-stop', 'node-2']), [
    ...[0, 'yes, until 2026-01-01T00:01:00.000Z: every quorum is kept without it\n', ''],
  ]);
  assert.match((await kvorum(url, ['can-stop', 'node-3', '--look']))[1], /^no\n.*\n {2}node-2 was told/s);
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

test('nodes update changes weight and zone; nodes stop stops the node at its own address, where it can', async () => {
  await using server = await placed();
  const { url, cluster } = server;
  const update = ['nodes', 'update', 'node-2', '--weight', '50', '--zone', 'b'];
  assert.deepEqual(await kvorum(url, update), [0, 'changed node-2 (member 2), epoch 6\n', '']);
  assert.match((await kvorum(url, ['nodes']))[1], /^node-2 .* b +50 /m);

  cluster.setHttpAddress(1, url.slice('http://'.length));
  cluster.setHttpAddress(2, url.slice('http://'.length));
  cluster.liveness.set(3, 'dead');
  const [code, out, err] = await kvorum(url, ['nodes', 'stop', 'node-1']);
  assert.deepEqual([code, out, server.stops()], [1, '', 0]);
  assert.match(err, /^no\n.*2 are needed\n.*kvorum: node-1 cannot be stopped now; --force stops it/s);
  cluster.liveness.delete(3);
  const stops = 'node-1 stops: it finishes what is in flight first\n';
  assert.deepEqual(await kvorum(url, ['nodes', 'stop', 'node-1']), [0, stops, '']);
  assert.deepEqual([server.stops(), cluster.state?.stopLeases.map(({ member }) => member)], [1, [1]]);
  const [wrong, , who] = await kvorum(url, ['nodes', 'stop', 'node-2', '--force']);
  assert.deepEqual([wrong, /WRONG_NODE: This is node-1, not node-2/.test(who)], [3, true], who);
  const [none, , names] = await kvorum(url, ['nodes', 'stop', 'node-9', '--force']);
  assert.deepEqual([none, /no member 'node-9'; there are node-1, node-2/.test(names)], [3, true], names);
  cluster.failure = new ClusterError('NO_LEADER', 'gone');
  assert.equal((await kvorum(url, ['nodes', 'stop', 'node-1', '--force']))[0], 0, 'needs no leader');
  assert.equal(server.stops(), 2);
});

test('the shell has operations, drain and can-stop; nothing under way is said so', async () => {
  await using server = await startTestServer();
  const input = 'operations\ncan-stop node-1\ndrain node-1\n';
  const [code, out, err] = await kvorum(server.url, ['shell'], input);
  assert.equal(code, 3);
  assert.match(out, /^nothing is under way: all data is where it should be\nno\n/);
  assert.match(err, /TOO_FEW_MEMBERS/);
});

test('operationLine: how much is left of the most that there was, with a bar on a terminal', () => {
  const operation: Operation = {
    ...{ id: 'drain-6', type: 'drain', state: 'running', by: 'ann', at: '2026-01-01T00:00:00.000Z' },
    ...{ member: 'a', partitions: 12, partitionsLeft: 3, partitionsMoving: 2 },
    stages: { joint: 1, transfer: 1, switch: 0 },
  };
  assert.equal(operationLine(operation, 12, { withBar: false }), '3 of 12 partitions left, 2 moving');
  assert.equal(
    operationLine(
      { ...operation, bytesPerSecond: 12_100_000, etaSeconds: 42, blockedBy: '1 partition: x' },
      ...([12, { withBar: true }] as const),
    ),
    `[${'#'.repeat(18)}${'.'.repeat(6)}] 3 of 12 partitions left, 2 moving  12.1 MB/s  ETA 0:42  blocked by 1 partition: x`,
  );
});
