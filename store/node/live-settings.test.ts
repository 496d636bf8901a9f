import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER, nodeOf, TestCluster } from '../cluster/test-cluster.ts';
import { resolveConfig } from '../config/resolve-config.ts';
import { type Config, SETTING_NAMES, SETTINGS, type SettingName } from '../config/settings.ts';
import { settle } from '../io/settle.ts';
import { createIsolatedTransport } from '../ports/isolated-transport.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryEngine } from '../sim/memory-engine.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { createSimRandom } from '../sim/sim-random.ts';
import type { Machine } from '../sim/world/machine.ts';
import { startNode } from './start-node.ts';

/** What is live must be read while a node works, and not only when it is made: a copy would never change. */

/** Read by `store/io/`; e2e/live-settings.test.ts turns them. */
const OF_THE_WORLD = /^(http|resp|log)\./;
const LIVE = SETTING_NAMES.filter((name) => SETTINGS[name].isLive && !OF_THE_WORLD.test(name));
/** Only a node that is alone reaps by these: beside others, rounds decide what may go. */
const ALONE = LIVE.filter((name) => /^(expiry|storage)\./.test(name));

/** Notes which settings are read since `reads` was last cleared. */
function recording(reads: Set<string>): (config: Config) => Config {
  return (config) =>
    new Proxy(config, {
      get(target, name) {
        reads.add(String(name));
        return target[name as SettingName];
      },
    });
}

test('every live setting of data on several members is read again while requests, hints, rounds and moves go on', async () => {
  const cluster = new TestCluster(settle);
  const reads = new Set<string>();
  const settings = {
    ...{ 'cluster.rebalanceAfterMs': 2000, 'cluster.initialMembers': 3, 'antiEntropy.roundIntervalMs': 500 },
    ...{ 'replication.propagationMs': 1000, 'storage.spaceCheckMs': 500 },
    // What has no room in the hints is left to the comparison of trees.
    'hints.bytesMax': 1000,
  };
  const options = { settings, seenAs: recording(reads) };
  // The one that starts again below reads all of its settings then.
  const machines = [
    cluster.machine('node-1', options),
    cluster.machine('node-2', options),
    cluster.machine('node-3', { settings }),
  ];
  for (const machine of machines) machine.start();
  await cluster.until(() => machines.every(({ node }) => node !== undefined), 'all run');
  const [first, , third] = machines as [Machine, Machine, Machine];
  const { cluster: admin } = nodeOf(first);
  await cluster.answer(admin.bootstrap({ clusterId: CLUSTER, replicationFactor: 3 }));
  const serving = (machine: Machine) => machine.node?.data() !== undefined;
  await cluster.until(() => machines.every(serving), 'data is served');
  const fourth = cluster.machine('node-4', options);
  fourth.start();
  await cluster.until(() => serving(fourth), 'the fourth serves');
  reads.clear();

  const { store } = nodeOf(first);
  const put = (i: number) => store.put('default', Buffer.from(`key-${i}`), { value: Buffer.alloc(100) });
  const putSome = (from: number) =>
    cluster.answer(Promise.all(Array.from({ length: 20 }, (_, i) => put(from + i))));
  await putSome(0);
  await cluster.answer(store.get('default', Buffer.from('key-1')));
  // Else what the third misses is brought by moves, and nothing is left to a comparison.
  await cluster.until(
    () => admin.operations().operations.some(({ state }) => state === 'done'),
    'the moves have ended',
  );
  third.stop();
  await cluster.until(() => third.node === undefined, 'one is down');
  await cluster.run(10_000);
  for (let from = 20; from < 200; from += 20) await putSome(from);
  await cluster.answer(store.delete('default', Buffer.from('key-1')));
  third.start();
  await cluster.run(30_000);
  assert.deepEqual(
    LIVE.filter((name) => !reads.has(name) && !ALONE.includes(name)),
    [],
  );
  assert.deepEqual(cluster.broken, []);
});

test('every live setting of a node that is alone is read again while it writes and reaps', async () => {
  const clock = new SimClock(Date.UTC(2026, 0, 1));
  const random = createSimRandom(1);
  const disk = new MemoryDisk({ capacityBytes: 1 << 30 }, { clock, random });
  const engine = new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk });
  const defaults = resolveConfig({ environment: {}, flags: [] }).config;
  const reads = new Set<string>();
  const config = { ...defaults, 'cluster.bootstrap': true, 'cluster.replicationFactor': 1 };
  const transport = createIsolatedTransport();
  const resolver = { resolve: async (seed: string) => [seed] };
  const defer = (work: () => void) => void Promise.resolve().then(work);
  const silent = (): void => {};
  const node = await startNode(
    recording(reads)(config),
    { clock, engine, random, transport, resolver, defer },
    {
      ...{ onStorageFailed: silent, onConsensusFailed: silent, onPhase: silent, onReaped: silent },
      ...{ onBackgroundError: silent, onNotice: silent, onRefused: silent, onProposed: silent },
    },
  );
  await node.settled();
  reads.clear();
  await Promise.all(
    ['a', 'b'].map((key) => node.store.put('default', Buffer.from(key), { value: Buffer.alloc(1) })),
  );
  for (let i = 0; i < 20; i++) {
    clock.advance(500);
    await settle();
  }
  assert.deepEqual(
    ALONE.filter((name) => !reads.has(name)),
    [],
  );
  await node.stop();
});
