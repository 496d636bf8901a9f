import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KvError } from '../../storage/errors.ts';
import type { BatchOperation } from '../../storage/kv-store.ts';
import { bytes, failure, LOST, OTHER, PROMPT, TestCluster } from './test-cluster.ts';

test('put, get and delete', async () => {
  const cluster = new TestCluster();
  await cluster.settle(cluster.node(1).put('k', 'a'));
  await cluster.settle(cluster.node(2).delete('k'));
  assert.equal(await cluster.settle(cluster.node(3).get('k')), undefined);
  await cluster.settle(cluster.node(3).put('k', 'b'));
  assert.equal(await cluster.settle(cluster.node(1).get('k')), 'b');
});

test('a record that has expired reads as absent', async () => {
  const cluster = new TestCluster();
  const nowMs = cluster.clock.nowMs();
  const put = cluster.node(1).store.put('default', bytes('k'), { value: bytes('a'), ttlSeconds: 2 });
  assert.equal((await cluster.settle(put)).expiresAtMs, nowMs + 2000);
  assert.equal(await cluster.settle(cluster.node(2).get('k')), 'a');
  await cluster.pass(2000);
  assert.equal(await cluster.settle(cluster.node(2).get('k')), undefined);
});

test('a batch: operations on one key in order, each with its outcome, a segment in one turn', async () => {
  const cluster = new TestCluster();
  const put = (key: string, value: string): BatchOperation => ({
    type: 'put',
    key: bytes(key),
    value: bytes(value),
  });
  const get = (key: string): BatchOperation => ({ type: 'get', key: bytes(key) });
  const batch = cluster
    .node(1)
    .store.batch('default', [put('a', '1'), put('b', '2'), get('a'), put('a', '3'), get('a')]);
  const askedAtOnce = cluster.sent.filter(({ request }) => request.body.type === 'ask' && request.to === 2);
  assert.equal(askedAtOnce.length, 2);
  const outcomes = await cluster.settle(batch);
  assert.deepEqual(
    outcomes.map((one) => (one.type === 'get' ? Buffer.from(one.record?.value ?? []).toString() : one.type)),
    ['put', 'put', '1', 'put', '3'],
  );
});

test('a batch: one failure is the outcome of its operation alone', async () => {
  const cluster = new TestCluster();
  await cluster.settle(cluster.node(1).put('a', '1'));
  cluster.fate = ({ request: { key } }) => (Buffer.from(key).toString() === 'b' ? LOST : PROMPT);
  const outcomes = await cluster.settle(
    cluster.node(1).store.batch('default', [
      { type: 'get', key: bytes('b') },
      { type: 'delete', key: bytes('a') },
      { type: 'put', key: bytes('b'), value: bytes('x') },
    ]),
  );
  assert.deepEqual(
    outcomes.map(({ type }) => type),
    ['error', 'delete', 'error'],
  );
});

test('an empty batch is done at once', async () => {
  assert.deepEqual(await new TestCluster().node(1).store.batch('default', []), []);
});

test('more than the limit under way is refused, and taken again when there is room', async () => {
  const cluster = new TestCluster([1, 2, 3], { inFlightMax: 2 });
  const { store } = cluster.node(1);
  const writes = [cluster.node(1).put('a', '1'), cluster.node(1).put('b', '1')];
  for (const refused of [
    () => cluster.node(1).get('a'),
    () => store.batch('default', []),
    () => store.delete('default', bytes('c')),
  ])
    assert.equal((await failure(refused())).code, 'OVERLOADED');
  for (const write of writes) await cluster.settle(write);
  assert.equal(await cluster.settle(cluster.node(1).get('a')), '1');
});

test('a namespace that was made elsewhere is found by catching up, one for all who wait', async () => {
  const cluster = new TestCluster();
  const node = cluster.node(1);
  node.namespaces.delete('other');
  let barriers = 0;
  node.catchUp = async () => {
    barriers += 1;
    await new Promise<void>((resolve) => cluster.clock.setTimer(20, resolve));
    node.namespaces.set('other', OTHER);
  };
  const puts = Array.from({ length: 5 }, () => node.store.put('other', bytes('k'), { value: bytes('a') }));
  for (const put of puts) await cluster.settle(put);
  assert.equal(barriers, 2, 'the first, and one that began after it for those who came meanwhile');
});

test('a namespace that nobody made is refused after that, and before it only where it cannot be known', async () => {
  const cluster = new TestCluster();
  const { store } = cluster.node(1);
  const missing = () => store.get('missing', bytes('k'), { timeoutMs: 50 });
  assert.equal((await failure(cluster.settle(missing()))).code, 'NAMESPACE_NOT_FOUND');
  cluster.node(1).catchUp = () => new Promise(() => {});
  assert.equal((await failure(cluster.settle(missing()))).code, 'DEADLINE_EXCEEDED');
  const other = new TestCluster();
  other.node(1).catchUp = () => Promise.reject(new Error('no leader'));
  await assert.rejects(other.settle(other.node(1).store.scan('missing', { limit: 1 })), /no leader/);
});

test('scans go to the cluster scan', async () => {
  const cluster = new TestCluster();
  const node = cluster.node(1);
  const entry = {
    key: bytes('k'),
    record: {
      version: { wallMs: 1, counter: 0, member: 1 },
      value: bytes('a'),
      contentType: undefined,
      expiresAtMs: undefined,
    },
  };
  node.scan = {
    scanPage: async ({ name }, { limit }) => ({ entries: [entry].slice(0, limit), resumeAfter: bytes(name) }),
    scanAll: async function* () {
      yield [entry];
    },
  };
  assert.deepEqual(await node.store.scan('other', { limit: 1 }), {
    entries: [entry],
    resumeAfter: bytes('other'),
  });
  const pages = [];
  for await (const page of node.store.scanAll('other', {})) pages.push(page);
  assert.deepEqual(pages, [[entry]]);
});

test('a namespace is deleted where a scan finds it empty, or it is confirmed, and never the default one', async () => {
  const cluster = new TestCluster();
  const node = cluster.node(1);
  const { store } = node;
  const entry = {
    key: bytes('k'),
    record: {
      version: { wallMs: 1, counter: 0, member: 1 },
      value: bytes('a'),
      contentType: undefined,
      expiresAtMs: undefined,
    },
  };
  const pages = [
    { entries: [], resumeAfter: bytes('c') },
    { entries: [entry], resumeAfter: undefined },
  ];
  const after: unknown[] = [];
  node.scan = {
    ...node.scan,
    scanPage: async (_, query) => {
      after.push(query.after);
      return pages[after.length - 1] ?? { entries: [], resumeAfter: undefined };
    },
  };
  assert.equal((await failure(store.deleteNamespace('other', undefined))).code, 'NAMESPACE_NOT_EMPTY');
  assert.deepEqual(after, [undefined, bytes('c')], 'a short page is no proof');
  assert.equal((await failure(store.deleteNamespace('default', 'default'))).code, 'NAMESPACE_PROTECTED');
  await store.deleteNamespace('other', undefined);
  assert.equal(store.getNamespace('other'), undefined);
  assert.equal((await failure(store.deleteNamespace('other', 'other'))).code, 'NAMESPACE_NOT_FOUND');
  assert.deepEqual(
    store.listNamespaces().map(({ name }) => name),
    ['default'],
  );
});

test('a timeout above the limit is the limit', async () => {
  const cluster = new TestCluster();
  cluster.fate = () => LOST;
  const beganMs = cluster.clock.monotonicMs();
  const error: KvError = await failure(cluster.settle(cluster.node(1).get('k', { timeoutMs: 1e9 })));
  assert.equal(error.code, 'DEADLINE_EXCEEDED');
  assert.equal(cluster.clock.monotonicMs() - beganMs, 5000);
});
