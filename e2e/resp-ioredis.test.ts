import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Redis, Cluster as RedisCluster } from 'ioredis';
import { slotOf } from '../store/core/ring/slot.ts';
import { endRedisCluster } from './lib/end-redis-cluster.ts';
import { RespCluster } from './lib/resp-cluster.ts';

/** ioredis, alone and in its cluster mode, with a cluster of three real nodes. */
let nodes: RespCluster;

before(async () => {
  nodes = await RespCluster.start();
});
after(() => nodes?.[Symbol.asyncDispose]());

test('ioredis: values, pipelines and a scan, in one connection', async () => {
  const redis = new Redis({ port: nodes.portOf(1), host: '127.0.0.1' });
  try {
    assert.equal(await redis.set('k', 'v', 'EX', 100), 'OK');
    assert.equal(await redis.get('k'), 'v');
    assert.deepEqual(await redis.getBuffer('k'), Buffer.from('v'));
    const pipeline = redis.pipeline();
    for (let i = 0; i < 500; i++) pipeline.set(`p:${i}`, `v${i}`).get(`p:${i}`);
    const results = (await pipeline.exec()) ?? [];
    assert.deepEqual(
      results.map(([error, value]) => error ?? value),
      Array.from({ length: 500 }, (_, i) => ['OK', `v${i}`]).flat(),
    );
    const seen = new Set<string>();
    for await (const keys of redis.scanStream({ match: 'p:*', count: 100 }))
      for (const key of keys as string[]) seen.add(key);
    assert.equal(seen.size, 500);
    const large = Buffer.alloc(4 << 20, 7);
    await redis.set('large', large);
    assert.ok(large.equals((await redis.getBuffer('large')) as Buffer));
    await assert.rejects(redis.incr('n'), /NEEDS_LINEARIZABLE/);
  } finally {
    redis.disconnect();
  }
});

test('ioredis Cluster goes to the owner of each key, and on when a node dies', async () => {
  const redis = new RedisCluster([{ host: '127.0.0.1', port: nodes.portOf(1) }], {
    slotsRefreshInterval: 500,
  });
  redis.on('error', () => {});
  try {
    await redis.cluster('INFO');
    const owners = await ownersBySlot(redis);
    const before = await setsByPort();
    const keys = Array.from({ length: 300 }, (_, i) => `owned:${i}`);
    await Promise.all(keys.map((key) => redis.set(key, 'v')));
    const expected = new Map<number, number>();
    for (const key of keys) {
      const port = owners(slotOf(Buffer.from(key)));
      expected.set(port, (expected.get(port) ?? 0) + 1);
    }
    const now = await setsByPort();
    for (const port of nodes.ports.values())
      assert.equal((now.get(port) ?? 0) - (before.get(port) ?? 0), expected.get(port) ?? 0);
    assert.ok([...expected.values()].every((count) => count > 0) && expected.size === 3);
    await nodes.cluster.kill(2);
    for (const key of keys.slice(0, 60)) assert.equal(await redis.get(key), 'v');
    await Promise.all(keys.map((key) => redis.set(key, 'w')));
    assert.equal(await redis.get('owned:299'), 'w');
  } finally {
    await endRedisCluster(redis);
  }
});

async function ownersBySlot(redis: RedisCluster): Promise<(slot: number) => number> {
  const ranges = (await redis.cluster('SLOTS')) as unknown as [number, number, [string, number]][];
  return (slot) => {
    const found = ranges.find(([first, last]) => first <= slot && slot <= last);
    assert.ok(found);
    return found[2][1];
  };
}

/** How many SETs each node has answered. */
async function setsByPort(): Promise<Map<number, number>> {
  const counts = await Promise.all(
    nodes.cluster.nodes.map(async ({ index, url }) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const found = /kvorum_resp_command_duration_seconds_count\{command="set"\} (\d+)/.exec(text);
      return [nodes.portOf(index), Number(found?.[1] ?? 0)] as const;
    }),
  );
  return new Map(counts);
}
