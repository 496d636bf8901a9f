import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, failure, LOST, PROMPT, TestCluster } from './test-cluster.ts';

const stamps = (cluster: TestCluster) =>
  [...cluster.nodes.values()].flatMap(({ versions }) => versions.given);
const KEY = { idempotencyKey: 'once' };

test('C1: a retry while the first is under way joins it, and after it gets its result', async () => {
  const cluster = new TestCluster();
  const node = cluster.node(1);
  const [first, second] = [node.put('k', 'a', KEY), node.put('k', 'a', KEY)];
  const { version } = await cluster.settle(first);
  assert.deepEqual((await cluster.settle(second)).version, version);
  await cluster.settle(node.put('k', 'b'));
  assert.deepEqual((await cluster.settle(node.put('k', 'a', KEY))).version, version);
  assert.equal(await cluster.settle(node.get('k')), 'b', 'the retry did not bring it back');
  assert.equal(stamps(cluster).length, 2);
});

test('C1: after an unknown outcome a retry goes on with the same record and no second stamp', async () => {
  const cluster = new TestCluster();
  const node = cluster.node(1);
  const put = () => node.store.put('default', bytes('k'), { value: bytes('a'), ttlSeconds: 60 }, KEY);
  cluster.fate = ({ request }) => (request.body.type === 'store' ? LOST : PROMPT);
  const error = await failure(cluster.settle(put()));
  assert.equal(error.data.outcome, 'unknown');
  cluster.fate = () => PROMPT;
  await cluster.settle(node.put('k', 'b'));
  cluster.sent.length = 0;
  const result = await cluster.settle(put());
  assert.equal(stamps(cluster).length, 2);
  assert.deepEqual(result.version, stamps(cluster)[0]);
  assert.equal(cluster.sentTo(2, 'ask').length, 0);
  assert.equal(await cluster.settle(node.get('k')), 'b', 'what came after it stays');
});

test('C1: the retry of a write of unknown outcome is the same to the byte, its expiry too', async () => {
  const cluster = new TestCluster();
  const node = cluster.node(1);
  const put = () => node.store.put('default', bytes('k'), { value: bytes('a'), ttlSeconds: 60 }, KEY);
  cluster.fate = ({ request }) => (request.body.type === 'store' ? LOST : PROMPT);
  await failure(cluster.settle(put()));
  const before = node.replica.storedOf('k');
  cluster.fate = () => PROMPT;
  const { expiresAtMs } = await cluster.settle(put());
  await cluster.pass(5);
  assert.deepEqual(cluster.node(2).replica.storedOf('k'), before);
  assert.equal(expiresAtMs, [...node.replica.held.values()][0]?.record.expiresAtMs);
});

test('what is certainly unwritten begins anew', async () => {
  const cluster = new TestCluster();
  for (const [, { replica }] of cluster.nodes) replica.refusal = 'STORAGE_FULL';
  assert.equal((await failure(cluster.settle(cluster.node(1).put('k', 'a', KEY)))).data.outcome, 'unwritten');
  for (const [, { replica }] of cluster.nodes) replica.refusal = undefined;
  await cluster.settle(cluster.node(1).put('k', 'a', KEY));
  assert.equal(await cluster.settle(cluster.node(2).get('k')), 'a');
});

test('a key of another request is refused, whatever differs', async () => {
  const cluster = new TestCluster();
  const { store } = cluster.node(1);
  const put = (key: string, value: string, ttlSeconds?: number, contentType?: string) =>
    store.put('default', bytes(key), { value: bytes(value), ttlSeconds, contentType }, KEY);
  await cluster.settle(put('k', 'a'));
  const others = [
    () => put('l', 'a'),
    () => put('k', 'b'),
    () => put('k', 'a', 5),
    () => put('k', 'a', undefined, 'text/plain'),
    () => store.delete('default', bytes('k'), KEY),
  ];
  for (const other of others)
    assert.equal((await failure(cluster.settle(other()))).code, 'IDEMPOTENCY_MISMATCH');
  await cluster.settle(store.put('other', bytes('k'), { value: bytes('b') }, KEY));
});

test('of a batch each operation is remembered by itself', async () => {
  const cluster = new TestCluster();
  const { store } = cluster.node(1);
  const batch = () =>
    store.batch(
      'default',
      [
        { type: 'put', key: bytes('k'), value: bytes('a') },
        { type: 'delete', key: bytes('k') },
        { type: 'get', key: bytes('k') },
      ],
      KEY,
    );
  const first = await cluster.settle(batch());
  const count = stamps(cluster).length;
  assert.deepEqual(await cluster.settle(batch()), first);
  assert.equal(stamps(cluster).length, count);
});

test('the least recently used key is forgotten', async () => {
  const cluster = new TestCluster([1, 2, 3], { idempotencyKeysMax: 2 });
  const put = (idempotencyKey: string) => cluster.settle(cluster.node(1).put('k', 'a', { idempotencyKey }));
  const first = await put('1');
  await put('2');
  assert.deepEqual(await put('1'), first);
  await put('3');
  assert.deepEqual(await put('1'), first);
  const before = stamps(cluster).length;
  await put('2');
  assert.equal(stamps(cluster).length, before + 1, '2 was forgotten');
});
