import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from '../../core/version/version.ts';
import { failure, LOST, PROMPT, TestCluster, viewOf } from './test-cluster.ts';

const stamps = (cluster: TestCluster) =>
  [...cluster.nodes.values()].flatMap(({ versions }) => versions.given);

test('D5: a write under an old replica set is fenced, waits for the new one and ends there, with one stamp', async () => {
  const cluster = new TestCluster([1, 2, 3, 4]);
  cluster.apply(viewOf(2, [1, 2, 3]));
  const next = viewOf(3, [2, 3, 4]);
  for (const member of [2, 3, 4]) cluster.node(member).apply(next);
  cluster.clock.setTimer(50, () => cluster.node(1).apply(next));
  await cluster.settle(cluster.node(1).put('k', 'a'));
  await cluster.pass(10);
  assert.equal(stamps(cluster).length, 1);
  for (const member of [2, 3, 4]) assert.equal(cluster.node(member).replica.valueOf('k'), 'a');
  assert.equal(cluster.node(1).replica.valueOf('k'), undefined);
  assert.deepEqual(cluster.node(1).counted, ['restart', 'write acknowledged']);
});

test('an epoch that comes between stamp and store keeps the stamp', async () => {
  const cluster = new TestCluster();
  const next = viewOf(2, [1, 2, 3]);
  let stores = 0;
  cluster.fate = ({ request }) => {
    if (request.body.type === 'store' && stores++ === 0)
      for (const member of [2, 3]) cluster.node(member).apply(next);
    return PROMPT;
  };
  cluster.clock.setTimer(50, () => cluster.node(1).apply(next));
  const { version } = await cluster.settle(cluster.node(1).put('k', 'a'));
  assert.deepEqual(stamps(cluster), [version]);
  for (const [, { replica }] of cluster.nodes)
    for (const [, held] of replica.held) assert.equal(compareVersions(held.record.version, version), 0);
});

test('a change of the topology here starts requests again in the same turn: old answers count no more', async () => {
  const cluster = new TestCluster();
  cluster.fate = ({ request }) => (request.epoch === 1 ? { requestMs: 1, answerMs: 100 } : PROMPT);
  const writing = cluster.node(1).put('k', 'a');
  const reading = cluster.node(2).get('k');
  cluster.clock.setTimer(5, () => cluster.apply(viewOf(2, [1, 2, 3])));
  const beganMs = cluster.clock.monotonicMs();
  await cluster.settle(writing);
  await cluster.settle(reading);
  assert.ok(cluster.clock.monotonicMs() - beganMs < 20);
  assert.ok(cluster.node(1).counted.includes('restart') && cluster.node(2).counted.includes('restart'));
});

test('a replica that lags behind the epoch is a failure, and another takes its place', async () => {
  const cluster = new TestCluster();
  for (const member of [1, 3]) cluster.node(member).apply(viewOf(2, [1, 2, 3]));
  const beganMs = cluster.clock.monotonicMs();
  await cluster.settle(cluster.node(1).put('k', 'a'));
  assert.equal(await cluster.settle(cluster.node(3).get('k')), 'a');
  assert.ok(cluster.clock.monotonicMs() - beganMs <= 10);
});

test('an epoch that never arrives ends the request at its deadline', async () => {
  const cluster = new TestCluster();
  for (const member of [2, 3]) cluster.node(member).apply(viewOf(2, [1, 2, 3]));
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a', { timeoutMs: 300 })));
  assert.equal(error.code, 'DEADLINE_EXCEEDED');
  assert.equal(error.data.outcome, 'unwritten');
  assert.equal(
    (await failure(cluster.settle(cluster.node(1).get('k', { timeoutMs: 300 })))).code,
    'DEADLINE_EXCEEDED',
  );
  assert.equal(cluster.node(1).coordinator.inFlight, 0);
});

test('D9: what an attempt may have left makes the outcome unknown, though the next one is refused by all', async () => {
  const cluster = new TestCluster();
  const next = viewOf(2, [1, 2, 3]);
  cluster.fate = ({ request: { body, epoch } }) => (body.type === 'store' && epoch === 1 ? LOST : PROMPT);
  cluster.clock.setTimer(20, () => {
    for (const [, { replica }] of cluster.nodes) replica.storeRefusal = 'STORAGE_FULL';
    cluster.apply(next);
  });
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
  assert.equal(error.code, 'QUORUM_NOT_MET');
  assert.equal(error.data.outcome, 'unknown');
});

test('D6: while a partition moves, a read answers only what W of both sets hold', async () => {
  const cluster = new TestCluster([1, 2, 3, 4, 5, 6]);
  cluster.apply(viewOf(2, [1, 2, 3]));
  await cluster.settle(cluster.node(1).put('k', 'a'));
  const moving = {
    epoch: viewOf(3, []).epoch,
    sets: { type: 'transfer', from: [1, 2, 3], to: [4, 5, 6] },
  } as const;
  cluster.apply(moving);
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
  const holders = [4, 5, 6].filter((member) => cluster.node(member).replica.valueOf('k') === 'a');
  assert.equal(holders.length, 2);
});

test('where no partition is placed, requests say so', async () => {
  const cluster = new TestCluster();
  cluster.node(1).view = undefined;
  await assert.rejects(cluster.node(1).put('k', 'a'), /CLUSTER_FORMING/);
  await assert.rejects(cluster.node(1).get('k'), /CLUSTER_FORMING/);
  assert.equal(await cluster.node(1).store.heal(1, Buffer.from('k')), false);
  assert.equal(cluster.node(1).coordinator.inFlight, 0);
});
