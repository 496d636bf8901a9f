import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestServer, type TestServer } from '../../store/io/http/test-server.ts';
import { KvError } from '../../store/storage/errors.ts';

const KVORUM = fileURLToPath(new URL('../kvorum', import.meta.url));

/** Runs the command line as a process; gives exit code, standard output and standard error. */
async function kvorum(url: string, args: readonly string[], input = ''): Promise<[number, string, string]> {
  const child = spawn(KVORUM, args, { env: { ...process.env, KVORUM_URL: url, NO_COLOR: '1' } });
  child.stdin.end(input);
  const closed = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return [await closed, out, err];
}

/** Three members that hold everything, and the key `a`. */
async function placed(): Promise<TestServer> {
  const server = await startTestServer();
  for (const name of ['node-2', 'node-3']) server.cluster.addMember(name);
  server.cluster.placePartitions();
  await server.store.put('default', Buffer.from('a'), { value: Buffer.from('one') });
  return server;
}

test('ring prints how even it is, and each member with a bar', async () => {
  await using server = await placed();
  server.cluster.liveness.set(3, 'dead');
  assert.deepEqual(await kvorum(server.url, ['ring']), [
    0,
    `balance     even: every member is within 1 partition of its ideal
ring        epoch 4: 4 partitions, 3 replicas each, 3 members

NAME    MEMBER  UP   ZONE  WEIGHT  PARTITIONS  PRIMARIES  IDEAL  HOLDS
node-1  1       yes  -     100     4           4          4.0    ####################
node-2  2       yes  -     100     4           0          4.0    ####################
node-3  3       no   -     100     4           0          4.0    ####################
`,
    '',
  ]);
  assert.equal(JSON.parse((await kvorum(server.url, ['ring', '--output', 'json']))[1]).sets.length, 4);
});

test('locate says slot, partition and which replicas are up', async () => {
  await using server = await placed();
  server.cluster.liveness.set(2, 'dead');
  const [code, out] = await kvorum(server.url, ['locate', 'a']);
  assert.equal(code, 0);
  assert.equal(
    out,
    `a is in slot 15495, partition 3 of epoch 4: 2 of 3 replicas are up

NAME    MEMBER  ROLE     UP   HTTP
node-1  1       primary  yes  10.0.0.1:7400
node-2  2       replica  no   10.0.0.2:7400
node-3  3       replica  yes  10.0.0.3:7400
`,
  );
});

test('explain answers in words first, on one screen', async () => {
  await using server = await placed();
  const [code, safe] = await kvorum(server.url, ['explain', 'a']);
  const cells = (line: string): string[] => line.split(/ {2,}/).slice(0, 6);
  assert.equal(code, 0);
  assert.match(
    safe,
    /^safe {8}3 of 3 replicas hold version [0-9a-f]{12}-0000-1\nkey {9}a in namespace default\nwhere {7}slot 15495, partition 3 of epoch 4\nhints {7}none\n\nREPLICA/,
  );
  server.data.reports.set(2, { version: undefined, lastExchange: [] }).set(3, 'TIMEOUT');
  server.cluster.liveness.set(3, 'dead');
  const stored = await server.store.get('default', Buffer.from('a'));
  server.data.hints = [{ keeper: 'node-1', owner: 'node-3', version: stored!.version }];
  const [riskCode, risk] = await kvorum(server.url, ['explain', 'a']);
  const lines = risk.trimEnd().split('\n');
  assert.equal(riskCode, 0);
  assert.match(lines[0] as string, /^at-risk {5}only 1 of 3 replicas hold version /);
  assert.deepEqual(
    lines.slice(1, 4).map((line) => line.trim()),
    [
      'node-2 is behind: it holds nothing',
      'node-3 does not answer (TIMEOUT)',
      'node-1 keeps a hint for node-3. Bring the replicas that do not answer back',
    ],
  );
  assert.deepEqual(
    lines
      .slice(-3)
      .map(cells)
      .map((row) => row.slice(0, 3)),
    [
      ['node-1', 'yes', 'yes'],
      ['node-2', 'yes', 'yes'],
      ['node-3', 'no', 'no: TIMEOUT'],
    ],
  );
  assert.ok(lines.length <= 24);
  const [, json] = await kvorum(server.url, ['explain', 'a', '--output', 'json']);
  assert.equal(JSON.parse(json).safety, 'at-risk');
  assert.match(
    (await kvorum(server.url, ['explain', 'b']))[1],
    /^absent {6}2 of 3 replicas say that there is nothing/,
  );
  const [missing, , why] = await kvorum(server.url, ['explain', 'a', '--namespace', 'nowhere']);
  assert.deepEqual([missing, /NAMESPACE_NOT_FOUND/.test(why)], [3, true]);
});

test('verify shows the report, and ends with 1 where replicas are not proven equal', async () => {
  await using server = await placed();
  assert.deepEqual(await kvorum(server.url, ['verify']), [
    0,
    `all replicas are equal: 4 of 4 partitions; 2 keys were repaired, 2.0 kB sent

NAME    MEMBER  PARTITIONS  EQUAL
node-1  1       4           4
node-2  2       4           4
node-3  3       4           4
`,
    '',
  ]);
  server.data.problems = ['partition 2: node-3 is down'];
  server.cluster.liveness.set(3, 'dead');
  const [code, out, err] = await kvorum(server.url, ['verify', '--node', 'node-1']);
  assert.deepEqual([code, err], [1, 'kvorum: 1 of 4 partitions are not proven equal\n']);
  assert.match(
    out,
    /^NOT PROVEN EQUAL: 1 of 4 partitions; 2 keys.*\n {2}partition 2: node-3 is down\n\nNAME/,
  );
  assert.match(out, /^node-3 +3 +4 +3 +it is down$/m);
  const [, json] = await kvorum(server.url, ['verify', '--output', 'json']);
  assert.deepEqual(JSON.parse(json).problems, server.data.problems);
  server.data.failure = new KvError('STORAGE_FAILED', 'the disk is gone');
  const [failed, , why] = await kvorum(server.url, ['verify']);
  assert.deepEqual([failed, /STORAGE_FAILED: the disk is gone/.test(why)], [3, true]);
  assert.equal((await kvorum(server.url, ['verify', '--node', 'nobody']))[0], 3);
});

test('scan --local asks that member itself, and shows what was deleted', async () => {
  await using server = await placed();
  const state = server.cluster.state!;
  const member = state.members.get(2)!;
  const members = new Map(state.members).set(2, { ...member, httpAddress: `127.0.0.1:${server.port}` });
  server.cluster.state = { ...state, members };
  const [code, out] = await kvorum(server.url, ['scan', '--local', 'node-2', '--tombstones']);
  assert.equal(code, 0);
  assert.match(out, /^a\t[0-9a-f]{12}-0000-1\tone\n~deleted\t019aa1b2c3d4-0000-1\t<deleted>\n$/);
  const [, json] = await kvorum(server.url, ['scan', '--local', 'node-2', '--output', 'json']);
  assert.deepEqual([JSON.parse(json).partition, JSON.parse(json).isTombstone], [3, false]);
  const [unknown, , why] = await kvorum(server.url, ['scan', '--local', 'nobody']);
  assert.deepEqual(
    [unknown, why],
    [2, "kvorum: there is no member 'nobody'; there are node-1, node-2, node-3\n"],
  );
});

test('put, get, delete, scan and batch take levels, and tell the node the timeout that was given', async () => {
  await using server = await placed();
  const { url, store } = server;
  const asked = async (args: readonly string[], input = '') => {
    const [code, , err] = await kvorum(url, args, input);
    assert.equal(code, 0, err);
    return store.asked.splice(0);
  };
  assert.deepEqual(await asked(['put', 'a', '1', '--w', 'all', '--r', '1']), [
    { r: 1, w: 'all', onReplicas: undefined },
  ]);
  assert.deepEqual(await asked(['get', 'a', '--r', 'quorum', '--timeout', '900']), [
    { r: 'quorum', timeoutMs: 900, onReplicas: undefined },
  ]);
  assert.deepEqual(await asked(['delete', 'a', '--w', '1']), [{ w: 1, onReplicas: undefined }]);
  assert.deepEqual(await asked(['scan', '--r', 'all']), [{ r: 'all', timeoutMs: undefined }]);
  assert.deepEqual(await asked(['batch', '--w', 'all'], '{"op":"put","key":"a","value":"1"}\n'), [
    { w: 'all', onReplicas: undefined },
  ]);
  assert.deepEqual(await asked(['get', 'a']), []);
});

test('batch prints a line for each operation, and ends with 3 where one failed', async () => {
  await using server = await placed();
  const lines = [
    '{"op":"put","key":"b","value":"two","ttlSeconds":60}',
    '{"op":"get","keyBase64":"YQ=="}',
    '',
    '{"op":"get","key":"none"}',
    '{"op":"delete","key":"b"}',
  ];
  const [code, out] = await kvorum(server.url, ['batch'], lines.join('\n'));
  assert.equal(code, 0);
  assert.match(
    out,
    /^ok\tput\tb\t[0-9a-f]+-0000-1\nok\tget\ta\tone\nok\tget\tnone\t<missing>\nok\tdelete\tb\t[0-9a-f-]+\n$/,
  );
  server.store.failure = new KvError('STORAGE_FULL', 'no room');
  const [failed, shown, why] = await kvorum(server.url, ['batch', '-'], '{"op":"delete","key":"b"}');
  assert.deepEqual([failed, shown], [3, 'failed\tdelete\tb\tSTORAGE_FULL: no room\n']);
  assert.match(why, /1 of 1 operations failed/);
  for (const line of ['{', '[]', '{"op":"cas","key":"a"}', '{"op":"put","key":"a"}', '{"op":"get"}']) {
    const [usage, , err] = await kvorum('http://127.0.0.1:1', ['batch'], `${lines[0]}\n${line}`);
    assert.equal(usage, 2, line);
    assert.match(err, /line 2/);
  }
});

test('wrong levels are wrong usage and reach no node', async () => {
  for (const args of [
    ['get', 'a', '--r', '0'],
    ['get', 'a', '--w', '1'],
    ['put', 'a', '1', '--w', '2'],
    ['scan', '--r', 'most'],
    ['scan', '--tombstones'],
    ['scan', '--local', 'x', '--r', '1'],
    ['locate'],
    ['locate', ''],
  ]) {
    const [code, , err] = await kvorum('http://127.0.0.1:1', args);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
  }
});

test('status and cluster status tell of hints and repair in one line', async () => {
  await using server = await placed();
  const { exchange } = server.data.state;
  server.data.state = {
    ...server.data.state,
    exchange: { ...exchange, lastRoundMs: Date.now() - 60_000, partitionsEqual: 3 },
    hints: { count: 7, bytes: 4096, owners: [{ owner: 2, count: 7, bytes: 4096, oldestMs: 0 }] },
  };
  const line = /^repair {6}3 of 4 partitions equal, compared 6\d s ago; 7 hints \(4\.1 kB\) for 1 member$/m;
  for (const command of [['status'], ['cluster', 'status']]) {
    assert.match((await kvorum(server.url, command))[1], line);
    const [, json] = await kvorum(server.url, [...command, '--output', 'json']);
    assert.equal(JSON.parse(json).repair.hints.count, 7);
  }
});

test('the shell has ring, locate and explain too', async () => {
  await using server = await placed();
  const [code, out] = await kvorum(server.url, ['shell'], 'ring\nlocate a\nexplain a\n');
  assert.equal(code, 0);
  assert.match(out, /^balance +even[\s\S]*^a is in slot 15495[\s\S]*^safe +3 of 3/m);
});
