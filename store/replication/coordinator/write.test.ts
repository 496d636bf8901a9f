import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_LOST, failure, LOST, PROMPT, TestCluster } from './test-cluster.ts';
import { LAST_WORD_MS } from './write.ts';

const stampsOf = (cluster: TestCluster) =>
  [...cluster.nodes.values()].flatMap(({ versions }) => versions.given);

test('a write asks R, stamps once, stores the same bytes at all, and is read back anywhere', async () => {
  const cluster = new TestCluster();
  const { version } = await cluster.settle(cluster.node(1).put('k', 'a'));
  await cluster.pass(10);
  assert.deepEqual(stampsOf(cluster), [version]);
  assert.equal(cluster.sentTo(1, 'ask').length + cluster.sentTo(2, 'ask').length, 2);
  assert.equal(cluster.sentTo(3, 'ask').length, 0);
  const records = cluster.sent.flatMap(({ request: { body } }) =>
    body.type === 'store' ? [body.record] : [],
  );
  assert.equal(records.length, 3);
  assert.ok(records.every((record) => record === records[0]));
  for (const [, node] of cluster.nodes) assert.equal(await cluster.settle(node.get('k')), 'a');
  assert.deepEqual(cluster.node(1).hints, []);
  assert.deepEqual(cluster.node(1).counted.slice(0, 1), ['write acknowledged']);
});

test('D1, D2: a write of a slow clock is newer than what was acknowledged before it', async () => {
  const cluster = new TestCluster();
  cluster.node(1).clockOffsetMs = 400;
  await cluster.settle(cluster.node(1).put('k', 'fast clock'));
  await cluster.settle(cluster.node(2).put('k', 'slow clock'));
  assert.equal(await cluster.settle(cluster.node(3).get('k')), 'slow clock');
});

test('who did not say that it holds an acknowledged write gets one hint, sealed as the record is', async () => {
  const cluster = new TestCluster();
  cluster.fate = ({ request }) => (request.to === 3 ? LOST : PROMPT);
  const { version } = await cluster.settle(cluster.node(1).put('k', 'a'));
  assert.deepEqual(cluster.node(1).hints, [], 'it is silent yet');
  await cluster.pass(2000);
  const [hint, ...more] = cluster.node(1).hints;
  assert.deepEqual(more, []);
  assert.equal(hint?.owner, 3);
  assert.deepEqual(hint?.version, version);
  assert.equal(hint?.record, cluster.node(2).replica.storedOf('k'));
});

test('a refusal is hinted too, but not one that a hint would only meet again', async () => {
  for (const [code, hints] of [
    ['STORAGE_FULL', 1],
    ['CLOCK_SKEW', 1],
    ['BELOW_FLOOR', 0],
    ['NAMESPACE_NOT_FOUND', 0],
  ] as const) {
    for (const delayMs of [1, 50]) {
      const cluster = new TestCluster();
      cluster.node(3).replica.storeRefusal = code;
      cluster.fate = ({ request }) => ({ ...PROMPT, requestMs: request.to === 3 ? delayMs : 5 });
      await cluster.settle(cluster.node(1).put('k', 'a'));
      await cluster.pass(100);
      assert.equal(cluster.node(1).hints.length, hints, `${code} after ${delayMs} ms`);
    }
  }
});

test('D9: a write that misses W says that its outcome is unknown and who said what, and leaves no hint', async () => {
  const cluster = new TestCluster();
  cluster.fate = ({ request: { to, body } }) =>
    body.type !== 'store' ? PROMPT : to === 2 ? ANSWER_LOST : LOST;
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
  assert.equal(error.code, 'QUORUM_NOT_MET');
  assert.equal(error.data.outcome, 'unknown');
  assert.deepEqual(error.data.answers, [
    { member: 1, node: 'node-1', said: 'held' },
    { member: 2, node: 'node-2', said: 'silent' },
    { member: 3, node: 'node-3', said: 'silent' },
  ]);
  await cluster.pass(2000);
  assert.deepEqual(cluster.node(1).hints, []);
  assert.deepEqual(cluster.node(1).counted, ['write unknown']);
  cluster.fate = () => PROMPT;
  await cluster.settle(cluster.node(3).put('k', 'b'));
  for (const [, node] of cluster.nodes)
    assert.equal(await cluster.settle(node.get('k')), 'b', 'it never comes back');
});

test('silent replicas end a question at the deadline of the request: nothing was stamped', async () => {
  const cluster = new TestCluster();
  cluster.fate = () => LOST;
  const beganMs = cluster.clock.monotonicMs();
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a', { timeoutMs: 200 })));
  assert.equal(error.code, 'DEADLINE_EXCEEDED');
  assert.equal(error.data.outcome, 'unwritten');
  assert.equal(cluster.clock.monotonicMs() - beganMs, 200);
  assert.deepEqual(stampsOf(cluster), []);
});

test('where gossip calls the silent ones down, it is the quorum that is missing', async () => {
  const cluster = new TestCluster();
  cluster.fate = () => LOST;
  cluster.node(1).down.add(2).add(3);
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
  assert.equal(error.code, 'QUORUM_NOT_MET');
  assert.equal(error.data.outcome, 'unwritten');
});

test('a member that is down is asked last, sent to nevertheless, and not waited for', async () => {
  const cluster = new TestCluster();
  cluster.node(1).down.add(2);
  cluster.fate = ({ request }) => (request.to === 2 ? LOST : PROMPT);
  const beganMs = cluster.clock.monotonicMs();
  await cluster.settle(cluster.node(1).put('k', 'a'));
  assert.equal(cluster.clock.monotonicMs() - beganMs, 4);
  assert.equal(cluster.sentTo(2, 'ask').length, 0);
  assert.equal(cluster.sentTo(2, 'store').length, 1);
});

test('a slow answer to the question is hedged by the third member', async () => {
  const cluster = new TestCluster();
  cluster.fate = ({ request }) => (request.to === 2 ? LOST : PROMPT);
  const beganMs = cluster.clock.monotonicMs();
  await cluster.settle(cluster.node(1).put('k', 'a'));
  assert.equal(cluster.clock.monotonicMs() - beganMs, 10 + 4);
  assert.deepEqual(cluster.node(1).counted, ['hedge 2', 'write acknowledged']);
});

const REASONS = [
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'OVERLOADED',
  'NAMESPACE_NOT_FOUND',
  'RECORD_CORRUPT',
  'REPLICA_OUT',
] as const;

test('the caller hears the reason where replicas refuse for one, and nothing was written', async () => {
  for (const code of REASONS) {
    for (const road of ['refusal', 'storeRefusal'] as const) {
      const cluster = new TestCluster();
      for (const [, { replica }] of cluster.nodes) replica[road] = code;
      // The last of them refuses when the quorum is missed already.
      cluster.fate = ({ request }) => ({ ...PROMPT, requestMs: request.to === 3 ? 5 : 1 });
      const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
      assert.equal(error.code, code, road);
      assert.equal(error.data.outcome, 'unwritten');
    }
  }
});

test('where one is silent, the reason is not the answer: the outcome is unknown, and told soon', async () => {
  const cluster = new TestCluster();
  for (const [, { replica }] of cluster.nodes) replica.storeRefusal = 'STORAGE_FULL';
  cluster.fate = ({ request: { to, body } }) => (to === 3 && body.type === 'store' ? LOST : PROMPT);
  const beganMs = cluster.clock.monotonicMs();
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'a')));
  assert.equal(error.code, 'QUORUM_NOT_MET');
  assert.equal(error.data.outcome, 'unknown');
  assert.equal(cluster.clock.monotonicMs() - beganMs, 4 + LAST_WORD_MS);
});

test('a set of one is its own quorum', async () => {
  const cluster = new TestCluster([1]);
  const beganMs = cluster.clock.monotonicMs();
  await cluster.settle(cluster.node(1).put('k', 'a'));
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
  assert.equal(cluster.clock.monotonicMs(), beganMs);
});

test('w of 1 and of all', async () => {
  const cluster = new TestCluster();
  cluster.fate = ({ request: { to, body } }) => (to === 3 && body.type === 'store' ? LOST : PROMPT);
  assert.equal(
    (await failure(cluster.settle(cluster.node(1).put('k', 'a', { w: 'all' })))).code,
    'QUORUM_NOT_MET',
  );
  await cluster.settle(cluster.node(1).put('k', 'b', { w: 1, r: 1 }));
});

test('a stamp waits until its bound is durable, and fails where it cannot be', async () => {
  const cluster = new TestCluster();
  const { versions } = cluster.node(1);
  versions.isBoundReached = true;
  await cluster.settle(cluster.node(1).put('k', 'a'));
  versions.isBoundReached = true;
  versions.raise = () => Promise.reject(new Error('the disk is gone'));
  const error = await failure(cluster.settle(cluster.node(1).put('k', 'b')));
  assert.equal(error.code, 'STORAGE_FAILED');
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'a');
});

test('onReplicas tells before the answer who said what', async () => {
  const cluster = new TestCluster();
  cluster.node(2).replica.storeRefusal = 'STORAGE_FULL';
  const told: unknown[] = [];
  cluster.fate = ({ request }) => ({ ...PROMPT, requestMs: request.to === 3 ? 5 : 1 });
  await cluster.settle(cluster.node(1).put('k', 'a', { onReplicas: (all) => told.push(...all) }));
  assert.deepEqual(told, [
    { member: 1, name: 'node-1', said: 'held' },
    { member: 2, name: 'node-2', said: 'refused STORAGE_FULL' },
    { member: 3, name: 'node-3', said: 'held' },
  ]);
});
