import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, failure, LOST, TestCluster, viewOf } from './test-cluster.ts';

const never = (): Promise<never> => new Promise(() => {});

/** What the request has come to some turns after its coordinator was stopped; no time passes. */
async function afterStop(cluster: TestCluster, request: Promise<unknown>): Promise<string> {
  await cluster.pass(20);
  cluster.node(1).coordinator.stop();
  const waited = cluster.pass(0).then(() => 'open');
  return await Promise.race([failure(request).then(({ code }) => code), waited]);
}

test('a stop ends a write that waits for the bound of stamps', async () => {
  const cluster = new TestCluster();
  const { versions, coordinator } = cluster.node(1);
  versions.isBoundReached = true;
  versions.raise = never;
  assert.equal(await afterStop(cluster, cluster.node(1).put('k', 'v')), 'DEADLINE_EXCEEDED');
  assert.equal(coordinator.inFlight, 0);
});

test('a stop ends a read that waits for an epoch', async () => {
  const cluster = new TestCluster();
  for (const member of [2, 3]) cluster.node(member).apply(viewOf(2, [1, 2, 3]));
  assert.equal(await afterStop(cluster, cluster.node(1).get('k')), 'DEADLINE_EXCEEDED');
  assert.equal(cluster.node(1).coordinator.inFlight, 0);
});

test('a stop ends a request that looks for its namespace, and one that comes after it', async () => {
  const cluster = new TestCluster();
  const { store } = cluster.node(1);
  cluster.node(1).catchUp = never;
  const request = store.get('unheard-of', bytes('k'));
  assert.equal(await afterStop(cluster, request), 'DEADLINE_EXCEEDED');
  assert.equal(await afterStop(cluster, store.get('unheard-of', bytes('k'))), 'DEADLINE_EXCEEDED');
});

test('a request that comes after the stop ends, whatever its replicas do', async () => {
  const cluster = new TestCluster();
  cluster.node(1).coordinator.stop();
  cluster.fate = () => LOST;
  assert.equal(await afterStop(cluster, cluster.node(1).get('k')), 'DEADLINE_EXCEEDED');
  assert.equal(cluster.node(1).coordinator.inFlight, 0);
});
