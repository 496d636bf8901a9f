import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster as RedisCluster } from 'ioredis';
import { missingClient, startClient } from './lib/client-programs.ts';
import type { NodeSettings } from './lib/cluster-node.ts';
import { addNode, untilPlaced } from './lib/elasticity.ts';
import { endRedisCluster } from './lib/end-redis-cluster.ts';
import { type KeyPlaces, keyPlaces, since } from './lib/key-places.ts';
import { RespCluster } from './lib/resp-cluster.ts';

/** Clients in cluster mode while three nodes become four: they see no error, lose nothing, and then go straight to the new owners. */
const SETTINGS: NodeSettings = { 'cluster.partitions': 16, 'cluster.rebalanceAfterMs': 200 };
const PLACED = { deadlineMs: 60_000 };
const READY_DEADLINE_MS = 30_000;
/** Commands on keys that each node must have got, all of them as the one to be asked first. */
const STRAIGHT = 50;
const WRITERS = 4;

type Written = {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly errors: readonly string[];
};
type Load = { stop(): Promise<Written> };

test('ioredis and go-redis that ask for the slots at times follow a rebalance', {
  skip: missingClient('go-redis'),
}, async (t) => {
  await using nodes = await RespCluster.start(SETTINGS);
  const redis = openRedis(nodes, 300);
  using go = startClient<Written>('go-redis', 'load', nodes.portOf(1), 'go:', 300);
  await follow(t, nodes, { ioredis: loadOf(redis), 'go-redis': go });
  assert.equal(await movedCount(nodes), 0);
});

test('clients in cluster mode that ask for the slots only when they are told follow a rebalance with resp.redirect: owner', {
  skip: missingClient('go-redis') || missingClient('redis-py'),
}, async (t) => {
  await using nodes = await RespCluster.start({ ...SETTINGS, 'resp.redirect': 'owner' });
  const redis = openRedis(nodes, undefined);
  using go = startClient<Written>('go-redis', 'load', nodes.portOf(1), 'go:', 0);
  using python = startClient<Written>('redis-py', 'load', nodes.portOf(2), 'py:');
  await follow(t, nodes, { ioredis: loadOf(redis), 'go-redis': go, 'redis-py': python });
  assert.ok((await movedCount(nodes)) > 0);
});

async function follow(
  t: TestContext,
  nodes: RespCluster,
  loads: Readonly<Record<string, Load>>,
): Promise<void> {
  const { cluster } = nodes;
  await untilStraight(nodes);
  const { process } = await addNode(cluster);
  assert.ok(await process.waitReady(READY_DEADLINE_MS));
  await untilPlaced(cluster, PLACED);
  await untilStraight(nodes);
  for (const [name, load] of Object.entries(loads)) {
    const { acknowledged, lost, errors } = await load.stop();
    t.diagnostic(`${name}: ${acknowledged} writes acknowledged`);
    assert.deepEqual(errors, [], name);
    assert.deepEqual(lost, [], name);
    assert.ok(acknowledged > 200, name);
  }
}

/** Waits for a while in which every node is asked, and only for keys of which it is the first to be asked. */
async function untilStraight({ cluster }: RespCluster): Promise<void> {
  const isStraight = ({ first, replica, elsewhere }: KeyPlaces): boolean =>
    first >= STRAIGHT && replica === 0 && elsewhere === 0;
  let last: readonly KeyPlaces[] = [];
  try {
    await cluster.until('not all commands go straight to owners', async () => {
      const before = await keyPlaces(cluster);
      await sleep(1000);
      last = since(before, await keyPlaces(cluster));
      return last.every(isStraight);
    });
  } catch (error) {
    throw new Error(`the last second: ${JSON.stringify(last)}`, { cause: error });
  }
}

async function movedCount({ cluster }: RespCluster): Promise<number> {
  const counts = await Promise.all(
    cluster.awake().map(async ({ url }) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/kvorum_resp_errors_total\{prefix="MOVED"\} (\d+)/.exec(text)?.[1] ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function openRedis(nodes: RespCluster, slotsRefreshInterval: number | undefined): RedisCluster {
  return new RedisCluster(
    [{ host: '127.0.0.1', port: nodes.portOf(1) }],
    slotsRefreshInterval === undefined ? {} : { slotsRefreshInterval },
  );
}

/** Each writer writes keys of its own, each once, so that what was acknowledged must be there. */
function loadOf(redis: RedisCluster): Load {
  const acknowledged: string[] = [];
  const errors: string[] = [];
  let isOver = false;
  redis.on('error', (error: Error) => void errors.push(`client: ${error.message}`));
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      const key = `io:${writer}:${i}`;
      try {
        await redis.set(key, `value of ${key}`);
        acknowledged.push(key);
        if (i % 2 === 0) assert.equal(await redis.get(key), `value of ${key}`);
      } catch (error) {
        errors.push((error as Error).message);
      }
      await sleep(2);
    }
  };
  const writers = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  return {
    async stop() {
      isOver = true;
      await writers;
      const lost: string[] = [];
      for (const key of acknowledged) if ((await redis.get(key)) !== `value of ${key}`) lost.push(key);
      await endRedisCluster(redis);
      return { acknowledged: acknowledged.length, lost, errors };
    },
  };
}
