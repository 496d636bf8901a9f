import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClusterError } from '../../store/cluster/cluster-admin.ts';
import { startTestServer } from '../../store/io/http/test-server.ts';

const KVORUM = fileURLToPath(new URL('../kvorum', import.meta.url));

function start(url: string, args: readonly string[]) {
  return spawn(KVORUM, args, { env: { ...process.env, KVORUM_URL: url, NO_COLOR: '1' } });
}

/** Runs the command line as a process; gives exit code, standard output and standard error. */
async function kvorum(url: string, args: readonly string[], input = ''): Promise<[number, string, string]> {
  const child = start(url, args);
  child.stdin.end(input);
  const closed = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return [await closed, out, err];
}

test('cluster status answers at a glance, and ends with 1 where the quorum is lost', async () => {
  await using server = await startTestServer();
  const { cluster, url } = server;
  for (const name of ['node-2', 'node-3']) cluster.addMember(name);
  const [ok, healthy] = await kvorum(url, ['cluster', 'status']);
  assert.equal(ok, 0);
  assert.equal(
    healthy,
    `quorum      ok
cluster     ${'0'.repeat(32)}, epoch 3
leader      node-1, term 1
voters      node-1, node-2, node-3 (2 needed)
members     3: 3 alive, 0 suspect, 0 dead
this node   node-1, member 1, leader, votes
repair      4 of 4 partitions equal, never compared; no hints
`,
  );
  cluster.liveness.set(3, 'dead');
  const [code, degraded] = await kvorum(url, ['cluster', 'status']);
  assert.equal(code, 0);
  assert.match(degraded, /^quorum +degraded: node-3 cannot be reached\n/);
  assert.match(degraded, /^voters +node-1, node-2, node-3 \(dead\) \(2 needed\)\nmissing +node-3$/m);
  cluster.liveness.set(2, 'suspect');
  cluster.failure = new ClusterError('NO_LEADER', 'gone');
  const [lostCode, lost, reason] = await kvorum(url, ['cluster', 'status']);
  assert.equal(lostCode, 1);
  assert.match(lost, /^quorum +lost: [\s\S]*^leader +none is known$[\s\S]*^missing +node-2, node-3$/m);
  assert.match(reason, /^kvorum: the quorum is lost: /);
  const [jsonCode, json] = await kvorum(url, ['cluster', 'status', '--output', 'json']);
  assert.deepEqual([jsonCode, JSON.parse(json).quorum.missing], [1, ['node-2', 'node-3']]);
});

test('status names the cluster of the node', async () => {
  await using server = await startTestServer();
  assert.match((await kvorum(server.url, ['status']))[1], /^cluster +member, epoch 1, led by node-1$/m);
});

test('cluster bootstrap makes one, and says so when it is there already', async () => {
  await using server = await startTestServer();
  server.cluster.state = undefined;
  const [waiting, shown, why] = await kvorum(server.url, ['cluster', 'status']);
  assert.deepEqual([waiting, why], [1, 'kvorum: node-1 is of no cluster\n']);
  assert.match(shown, /^this node +node-1, waiting: no seed answers$/m);
  const [refused, , advice] = await kvorum(server.url, ['nodes']);
  assert.equal(refused, 3);
  assert.match(advice, /'kvorum cluster bootstrap' makes one/);
  const id = 'e'.repeat(32);
  const bootstrap = [
    'cluster',
    'bootstrap',
    '--cluster-id',
    id,
    '--replication-factor',
    '1',
    '--partitions',
    '8',
  ];
  assert.deepEqual(await kvorum(server.url, bootstrap), [0, `${id}\n`, '']);
  assert.deepEqual(await kvorum(server.url, bootstrap), [0, `${id} (it was made before)\n`, '']);
  assert.deepEqual(JSON.parse((await kvorum(server.url, [...bootstrap, '--output', 'json']))[1]), {
    ...{ clusterId: id, created: false },
  });
  const [taken, , problem] = await kvorum(server.url, ['cluster', 'bootstrap']);
  assert.equal(taken, 3);
  assert.match(problem, /ALREADY_BOOTSTRAPPED/);
});

test('bad arguments are wrong usage and reach no node', async () => {
  for (const args of [
    ['cluster', 'bootstrap', '--partitions', '3'],
    ['cluster', 'bootstrap', '--cluster-id', 'X'],
    ['cluster', 'bootstrap', '--replication-factor', '10'],
    ['cluster', 'explode'],
    ['nodes', 'remove'],
    ['nodes', 'remove', 'node-2'],
  ]) {
    const [code, , err] = await kvorum('http://127.0.0.1:1', args);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
  }
});

test('cluster transfer-leadership hands over to the named voter, or to any', async () => {
  await using server = await startTestServer();
  server.cluster.addMember('node-2');
  const transfer = ['cluster', 'transfer-leadership'];
  assert.deepEqual(await kvorum(server.url, transfer), [0, 'node-2 leads\n', '']);
  assert.deepEqual(await kvorum(server.url, [...transfer, 'node-1']), [0, 'node-1 leads\n', '']);
  const [code, , err] = await kvorum(server.url, [...transfer, 'Node']);
  assert.equal(code, 3);
  assert.match(err, /BAD_MEMBER_NAME: .*Use a DNS label/);
});

test('nodes lists the members, and removes one that is confirmed', async () => {
  await using server = await startTestServer();
  const { cluster, url } = server;
  cluster.addMember('node-2');
  cluster.liveness.set(2, 'dead');
  const [, list] = await kvorum(url, ['nodes']);
  const cells = (line: string): string[] => line.split(/ {2,}/).slice(0, 6);
  assert.deepEqual(list.trimEnd().split('\n').map(cells), [
    ['NAME', 'NUMBER', 'LIVENESS', 'ROLE', 'ZONE', 'WEIGHT'],
    ['node-1', '1', 'alive', 'leader', '-', '100'],
    ['node-2', '2', 'dead', 'voter', '-', '100'],
  ]);
  assert.equal(JSON.parse((await kvorum(url, ['nodes', 'list', '--output', 'json']))[1]).members.length, 2);
  const [unconfirmed, , why] = await kvorum(url, ['nodes', 'remove', 'node-2'], 'y\n');
  assert.deepEqual([unconfirmed, cluster.state?.members.size], [2, 2], 'a pipe is nobody to ask');
  assert.match(why, /confirm with --yes/);
  const remove = ['nodes', 'remove', 'node-2', '--yes'];
  assert.deepEqual(await kvorum(url, remove), [0, 'removed node-2 (member 2), epoch 3\n', '']);
  const [gone, , err] = await kvorum(url, remove);
  assert.equal(gone, 3);
  assert.match(err, /MEMBER_NOT_FOUND/);
});

test('topology shows members and partitions, without a leader what the node has', async () => {
  await using server = await startTestServer();
  const { cluster, url } = server;
  cluster.addMember('node-2');
  assert.match(
    (await kvorum(url, ['topology']))[1],
    /^partitions +4, replication factor 3, not placed yet$/m,
  );
  cluster.placePartitions();
  cluster.failure = new ClusterError('NO_LEADER', 'gone');
  const [code, out, err] = await kvorum(url, ['topology']);
  assert.equal(code, 0);
  assert.match(out, /^epoch +3 of cluster 0+\nmembers +2: node-1, node-2\n/);
  assert.match(out, /^partitions .*, replicas: node-1 4, node-2 4$/m);
  assert.equal(err, 'no leader is known: this is what node-1 has applied, up to epoch 3\n');
});

test('topology --watch prints a line for each change until it is interrupted', async () => {
  await using server = await startTestServer();
  const { cluster, url } = server;
  const child = start(url, ['topology', '--watch']);
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const changes = [
    () => cluster.addMember('node-2'),
    () => void cluster.updateMember('node-2', { weight: 5 }),
    () => void cluster.createNamespace('logs'),
    () => cluster.placePartitions(),
    () => child.kill('SIGINT'),
  ];
  let out = '';
  for await (const chunk of child.stdout) {
    out += String(chunk);
    changes.shift()?.();
  }
  assert.equal(await closed, 0);
  const withoutTime = (line: string): string => line.split('  ').slice(1).join('  ');
  assert.deepEqual(out.trimEnd().split('\n').map(withoutTime), [
    'epoch 1  members 1, partitions 0, namespaces 1',
    'epoch 2  +node-2  members 2, partitions 0, namespaces 1',
    'epoch 3  ~node-2  members 2, partitions 0, namespaces 1',
    'epoch 4  +namespace logs  members 2, partitions 0, namespaces 2',
    'epoch 5  4 partitions  members 2, partitions 4, namespaces 2',
  ]);
});

test('the shell has cluster, nodes and topology too', async () => {
  await using server = await startTestServer();
  const [code, out] = await kvorum(server.url, ['shell'], 'cluster\nnodes\ntopology\n');
  assert.equal(code, 0);
  assert.match(out, /^quorum +ok$[\s\S]*^NAME +NUMBER[\s\S]*^epoch +1 of cluster/m);
});

test('completion knows the commands of the cluster', async () => {
  const [, script] = await kvorum('http://127.0.0.1:1', ['completion', 'bash']);
  for (const word of ["'cluster bootstrap'", "'nodes remove'", '--watch', 'transfer-leadership'])
    assert.ok(script.includes(word), word);
});
