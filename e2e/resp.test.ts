import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestClient } from '../store/io/resp/test-resp.ts';
import { missingProgram, redisBenchmark, redisCli } from './lib/redis-tools.ts';
import { RespCluster } from './lib/resp-cluster.ts';

/** A cluster of three real nodes, spoken to with the tools of Redis. */
const cliSkip = missingProgram('redis-cli', 'redis-tools') ?? false;
const benchmarkSkip = missingProgram('redis-benchmark', 'redis-tools') ?? false;
let nodes: RespCluster;
const portOf = (index: number): number => nodes.portOf(index);

before(async () => {
  nodes = await RespCluster.start();
});
after(() => nodes?.[Symbol.asyncDispose]());

test('what redis-cli writes at one node is read at the others, and over HTTP', {
  skip: cliSkip,
}, async () => {
  assert.equal(await redisCli(portOf(1), 'SET', 'a b', 'hello', 'EX', '100'), 'OK');
  for (const index of [1, 2, 3]) {
    assert.equal(await redisCli(portOf(index), 'GET', 'a b'), 'hello');
    assert.equal(await redisCli(portOf(index), '-3', 'TTL', 'a b'), '100');
  }
  const { cluster } = nodes;
  const overHttp = await fetch(`${cluster.node(2).url}/v1/kv/default/a%20b`);
  assert.equal(await overHttp.text(), 'hello');
  assert.equal(overHttp.headers.get('etag'), `"${await redisCli(portOf(3), 'KV.VERSION', 'a b')}"`);
  assert.equal(await redisCli(portOf(3), 'DEL', 'a b'), '1');
  assert.equal((await fetch(`${cluster.node(1).url}/v1/kv/default/a%20b`)).status, 404);
  assert.match(await redisCli(portOf(1), 'INCR', 'n'), /^ERR NEEDS_LINEARIZABLE /);
});

test('redis-cli -c scans, and finds every key', { skip: cliSkip }, async () => {
  const pairs = Array.from({ length: 200 }, (_, i) => [`scan:${i}`, 'v']).flat();
  assert.equal(await redisCli(portOf(2), 'MSET', ...pairs), 'OK');
  const keys = (await redisCli(portOf(3), '-c', '--scan', '--pattern', 'scan:*')).split('\n');
  assert.deepEqual(keys.toSorted(), pairs.filter((_, i) => i % 2 === 0).toSorted());
});

test('every slot has an owner that is up; a node that dies gives its slots to another', {
  skip: cliSkip,
}, async () => {
  const { cluster } = nodes;
  const slots = async (): Promise<number[]> => {
    const client = await TestClient.open(portOf(1));
    const ranges = (await client.say('CLUSTER SLOTS')) as [number, number, [string, number, string]][];
    client.socket.destroy();
    let next = 0;
    for (const [first, last] of ranges) {
      assert.equal(first, next);
      next = last + 1;
    }
    assert.equal(next, 16_384);
    return [...new Set(ranges.map(([, , [, port]]) => port))].toSorted();
  };
  assert.deepEqual(await slots(), [...nodes.ports.values()].toSorted());
  assert.match(
    await redisCli(portOf(1), 'CLUSTER', 'INFO'),
    /cluster_state:ok\r?\ncluster_slots_assigned:16384/,
  );
  assert.equal(await redisCli(portOf(1), 'CLUSTER', 'KEYSLOT', 'foo{bar}'), '5061');
  assert.match(await redisCli(portOf(1), 'CLUSTER', 'NODES'), /myself,master - 0 0 \d+ connected 0-/);
  await cluster.kill(3);
  await cluster.until(
    'the slots of the dead node are not given to others',
    async () => (await slots()).length === 2,
  );
  assert.equal(await redisCli(portOf(1), 'SET', 'still', 'here'), 'OK');
  cluster.start(3);
  await nodes.ready();
});

test('redis-benchmark writes and reads, also pipelined', { skip: benchmarkSkip }, async () => {
  const quick = ['-t', 'set,get,mset', '-n', '2000', '-c', '20', '-d', '256', '-r', '1000'];
  const plain = await redisBenchmark(portOf(1), ...quick);
  const pipelined = await redisBenchmark(portOf(1), ...quick, '-P', '16');
  for (const rates of [plain, pipelined])
    for (const name of ['SET', 'GET']) assert.ok((rates.get(name) ?? 0) > 0, name);
});
