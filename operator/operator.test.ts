import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../store/io/system-clock.ts';
import { systemRandom } from '../store/io/system-random.ts';
import { KubeClient } from './kube/kube-client.ts';
import { plainConnection } from './kube/kube-connection.ts';
import { silentLog } from './kube/kube-log.ts';
import { events, leases } from './kube/resources.ts';
import { createOperatorMetrics } from './metrics.ts';
import { Operator } from './operator.ts';
import { kvClusters, type RawCluster } from './reconcile/kinds.ts';
import { TestStoreView } from './reconcile/test-store-view.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { FakeKubelets } from './testing/fake-kubelets.ts';

const REF = { namespace: 'shop', name: 'kv' };
const PATIENCE_MS = 30_000;

/** An operator over real watches and time; what is around it takes steps for as long as it is waited. */
async function world() {
  const server = await FakeApiServer.start({ resources: [kvClusters] });
  const kubelets = new FakeKubelets(server, REF);
  const store = new TestStoreView(kubelets, () => systemClock.nowMs());
  const connection = plainConnection(server.url);
  const clock = systemClock;
  const client = new KubeClient({ fieldManager: 'kvorum-operator' }, { connection, clock });
  const run = (identity: string) => {
    const stopping = new AbortController();
    const operator = new Operator(
      { namespace: 'kvorum-system', identity, watchNamespaces: undefined, workers: 2 },
      {
        ...{ client, store, clock, random: systemRandom, log: silentLog, metrics: createOperatorMetrics() },
      },
    );
    return { operator, ended: operator.run(stopping.signal), stop: () => stopping.abort() };
  };
  const until = async (what: string, isTrue: () => boolean) => {
    const endMs = performance.now() + PATIENCE_MS;
    while (!isTrue()) {
      assert.ok(performance.now() < endMs, `not within ${PATIENCE_MS} ms: ${what}`);
      kubelets.step();
      store.step();
      await sleep(5);
    }
  };
  const isReady = () =>
    server
      .get(kvClusters, REF)
      ?.status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'Serving') === true;
  const close = async () => {
    await connection.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, store, run, until, isReady, [Symbol.asyncDispose]: close };
}

test('over watches: a KVCluster becomes a store, and a second operator goes on where the first one stopped', async () => {
  await using all = await world();
  const { server, run, until, isReady } = all;
  const first = run('first');
  server.put(kvClusters, { metadata: REF, spec: { partitions: 8 } } as RawCluster);
  await until('it serves', isReady);
  assert.equal(first.operator.notReady(), undefined);
  const second = run('second');
  first.stop();
  assert.equal(await first.ended, 'stopped');
  const spec = { partitions: 8, replicas: 4 };
  server.change(kvClusters, REF, (cluster) => ({ ...cluster, spec }));
  const isFour = () =>
    all.store.inner?.members.size === 4 && server.get(kvClusters, REF)?.status?.membersReady === '4/4';
  await until('the second one scales', isFour);
  const lease = server.get(leases, { namespace: 'kvorum-system', name: 'kvorum-operator' });
  assert.equal(lease?.spec?.holderIdentity, 'second');
  assert.ok(server.list(events).some(({ reason }) => reason === 'Bootstrap'));
  assert.equal(all.store.made, 1);
  second.stop();
  assert.equal(await second.ended, 'stopped');
});
