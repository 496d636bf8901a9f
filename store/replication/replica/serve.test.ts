import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import type { ReplicaReply } from '../../peer/replica-messages.ts';
import { dataKey } from '../../storage/key-layout.ts';
import { decodeRecord } from '../../storage/record.ts';
import { NEVER, SELF, START_MS, said, sealed, TestReplica, versionOf } from './test-replica.ts';

const V = START_MS - 100;

test('a store is held once it is durable, and read back byte for byte', async () => {
  const t = await TestReplica.open();
  assert.equal(await t.ask('a'), 'asked nothing');
  const request = t.storeRequest('a', { wallMs: V, value: 'x' });
  assert.equal(said((await t.serve(request)).body), `held ${V}`);
  await t.crash();
  const { body } = await t.serve(t.request({ type: 'read', isFull: true }, 'a'));
  assert.equal(body.type, 'sight');
  assert.deepEqual(
    body.type === 'sight' && Buffer.from(body.record ?? []),
    request.body.type === 'store' && request.body.record,
  );
  assert.equal(await t.ask('a'), `asked ${V}`);
});

test('the newest version wins, and an older one is told of it', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'new' });
  assert.equal(await t.store('a', { wallMs: V - 1, value: 'old' }), `held ${V}`);
  assert.equal(await t.store('a', { wallMs: V, value: 'new' }), `held ${V}`);
  assert.equal(t.stored().get('a')?.text, 'new');
});

// D14 (riak_kv#1094, #847): a late tombstone took the key with it that had been written again.
test('D14 an old tombstone never takes the place of the record that was written after it', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'again' });
  for (const origin of ['hint', 'exchange', 'repair', 'write-back'] as const)
    assert.equal(await t.store('a', { wallMs: V - 5 }, origin, versionOf(V)), `held ${V}`);
  assert.equal(t.stored().get('a')?.isTombstone, false);
});

test('an answer that names a version waits until that version is durable', async () => {
  const t = await TestReplica.open();
  t.disk.faults.syncDelayMs = 50;
  const replies: string[] = [];
  const note = (name: string) => (reply: ReplicaReply) => replies.push(`${name}: ${said(reply.body)}`);
  t.serve(t.storeRequest('a', { wallMs: V, value: 'x' })).then(note('first'));
  await settle();
  t.serve(t.storeRequest('a', { wallMs: V, value: 'x' }, 'hint')).then(note('same'));
  t.serve(t.storeRequest('a', { wallMs: V - 1, value: 'w' })).then(note('older'));
  t.serve(t.storeRequest('a', { wallMs: V + 1, value: 'y' })).then(note('newer'));
  t.serve(t.request({ type: 'ask' }, 'a')).then(note('ask'));
  await settle();
  assert.deepEqual(replies, ['ask: asked nothing']);
  for (let i = 0; i < 4; i++) {
    t.clock.advance(50);
    await settle();
  }
  assert.deepEqual(replies.slice(1), [
    `first: held ${V}`,
    `same: held ${V}`,
    `older: held ${V}`,
    `newer: held ${V + 1}`,
  ]);
  assert.equal(await t.ask('a'), `asked ${V + 1}`);
});

test('stores of one key in one turn, of which nothing is known yet, leave the newest', async () => {
  const t = await TestReplica.open();
  const replies = await Promise.all(
    [3, 1, 2, 5, 4].map((n) => t.store('a', { wallMs: V + n, value: `${n}` })),
  );
  assert.deepEqual(
    replies,
    [3, 3, 3, 5, 5].map((n) => `held ${V + n}`),
  );
  assert.equal(t.stored().get('a')?.text, '5');
});

test('a known key is answered without a promise, from memory', async () => {
  const t = await TestReplica.open();
  const ask = t.request({ type: 'ask' }, 'a');
  assert.equal(t.replica.serveNow(ask), undefined);
  await t.ask('a');
  t.disk.faults.failNextRead = true;
  assert.equal(said(t.replica.serveNow(ask)?.body as ReplicaReply['body']), 'asked nothing');
  assert.equal(await t.read('a'), 'seen nothing');
  let isDone = false;
  t.replica.answer({ request: ask, signal: NEVER, isLocal: false, done: () => (isDone = true) });
  assert.ok(isDone);
});

test('a record in memory is read without the engine: the durable one, behind the fence', async () => {
  const t = await TestReplica.open({ recordCacheBytes: 1 << 20 });
  const read = t.request({ type: 'read', isFull: true }, 'a');
  const recordOf = (reply: ReplicaReply | undefined): string | undefined =>
    reply?.body.type === 'sight' && reply.body.record !== undefined
      ? Buffer.from(decodeRecord(dataKey(read), reply.body.record, read.key).value).toString()
      : undefined;
  await t.store('a', { wallMs: V, value: 'old' });
  assert.equal(recordOf(t.replica.serveNow(read)), 'old');
  t.disk.faults.syncDelayMs = 50;
  const newer = t.store('a', { wallMs: V + 1, value: 'new' });
  await settle();
  assert.equal(recordOf(t.replica.serveNow(read)), 'old');
  t.clock.advance(50);
  await newer;
  assert.equal(recordOf(t.replica.serveNow(read)), 'new');
  t.topology.set(6, [
    [SELF, 2, 3],
    [SELF, 2, 3],
  ]);
  assert.equal(t.replica.serveNow(read), undefined);
});

test('a record that only the engine had is in memory after its first read, and after a crash in none', async () => {
  const t = await TestReplica.open({ recordCacheBytes: 1 << 20 });
  await t.store('a', { wallMs: V, value: 'x' });
  await t.crash();
  const read = t.request({ type: 'read', isFull: true }, 'a');
  assert.equal(t.replica.serveNow(read), undefined);
  await t.ask('a');
  assert.equal(said(t.replica.serveNow(read)?.body as ReplicaReply['body']), `seen ${V}`);
});

test('the cache keeps as many keys as it may, and what it forgets is read again', async () => {
  const t = await TestReplica.open({ versionCacheEntriesMax: 2 });
  for (const key of ['a', 'b', 'c', 'd']) await t.store(key, { wallMs: V, value: key });
  assert.equal(t.replica.serveNow(t.request({ type: 'ask' }, 'a')), undefined);
  assert.notEqual(t.replica.serveNow(t.request({ type: 'ask' }, 'd')), undefined);
  assert.equal(await t.store('a', { wallMs: V - 1, value: 'old' }), `held ${V}`);
});

test('the answer to a question says floor, watermark and clocks, never a clock too far ahead (D3)', async () => {
  const t = await TestReplica.open();
  await t.owned().raiseFloor(versionOf(START_MS - 20_000));
  await t.owned().raiseWatermark(versionOf(START_MS - 30_000));
  t.last = versionOf(START_MS + 10_000);
  const { body, from, epoch } = await t.serve(t.request({ type: 'ask' }, 'a'));
  assert.deepEqual({ from, epoch }, { from: SELF, epoch: 5 });
  assert.deepEqual(body, {
    type: 'versions',
    version: undefined,
    floor: versionOf(START_MS - 20_000),
    watermark: versionOf(START_MS - 30_000),
    clock: { wallMs: START_MS + 500, counter: 0, member: 2 },
    nowMs: START_MS,
  });
});

test('a version too far ahead is refused, but for the own coordinator; what is accepted is observed (D4)', async () => {
  const t = await TestReplica.open();
  assert.equal(await t.store('a', { wallMs: START_MS + 500, value: 'x' }), `held ${START_MS + 500}`);
  assert.deepEqual(t.last, versionOf(START_MS + 500));
  assert.equal(await t.store('a', { wallMs: START_MS + 501, value: 'x' }), 'refused CLOCK_SKEW');
  const ahead = t.storeRequest('a', { wallMs: START_MS + 501, value: 'x' });
  assert.equal(said((await t.serve(ahead, NEVER, true)).body), `held ${START_MS + 501}`);
  const hint = t.storeRequest('b', { wallMs: START_MS + 501, value: 'x' }, 'hint');
  assert.equal(said((await t.serve(hint, NEVER, true)).body), 'refused CLOCK_SKEW');
});

test('a record that was damaged on its way, or sealed for another place, is refused', async () => {
  const t = await TestReplica.open();
  const request = t.storeRequest('a', { wallMs: V, value: 'x' });
  const damaged = Uint8Array.from((request.body as { record: Uint8Array }).record);
  damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;
  const elsewhere = sealed(t.request({ type: 'ask' }, 'b'), { wallMs: V, value: 'x' });
  for (const record of [damaged, elsewhere, new Uint8Array(3)]) {
    const body = { type: 'store', origin: 'write', sourceWatermark: undefined, record } as const;
    assert.equal(said((await t.serve({ ...request, body })).body), 'refused RECORD_CORRUPT');
  }
  assert.equal(t.stored().size, 0);
});

test('a full disk refuses puts and repairs, and still takes deletes', async () => {
  const t = new TestReplica({}, 1, 4096);
  t.topology.set(5, [[SELF], [SELF]]);
  await t.start();
  const big = 'x'.repeat(700);
  assert.equal(await t.store('a', { wallMs: V, value: big }), `held ${V}`);
  assert.equal(await t.store('b', { wallMs: V, value: big }), 'refused STORAGE_FULL');
  assert.equal(await t.store('b', { wallMs: V, value: big }, 'repair'), 'refused STORAGE_FULL');
  assert.equal(await t.store('a', { wallMs: V + 1 }), `held ${V + 1}`);
});

test('more writes than may wait for the disk are refused', async () => {
  const t = await TestReplica.open({ writeBacklogBytesMax: 1000 });
  t.disk.faults.syncDelayMs = 10;
  const value = 'x'.repeat(400);
  const replies = ['a', 'b', 'c'].map((key) => t.store(key, { wallMs: V, value }));
  await settle();
  assert.equal(await replies[2], 'refused OVERLOADED');
  t.clock.advance(10);
  assert.deepEqual([await replies[0], await replies[1]], [`held ${V}`, `held ${V}`]);
  await settle();
  const alone = t.store('c', { wallMs: V, value: 'x'.repeat(5000) });
  await settle();
  t.clock.advance(10);
  assert.equal(await alone, `held ${V}`);
});

test('after a failed fsync nothing is held, and nothing is served any more', async () => {
  const t = await TestReplica.open();
  t.disk.faults.failNextSync = true;
  assert.equal(await t.store('a', { wallMs: V, value: 'x' }), 'refused STORAGE_FAILED');
  assert.equal(await t.ask('a'), 'refused STORAGE_FAILED');
  assert.equal(t.replica.owned(0), undefined);
});

test('what is overwritten takes its index entries along', async () => {
  const t = await TestReplica.open();
  const index = (): number => [...t.disk.contents(Uint8Array.of(3), Uint8Array.of(5))].length;
  await t.store('a', { wallMs: V });
  await t.store('a', { wallMs: V + 1, value: 'x', expiresAtMs: V + 9 });
  assert.equal(index(), 1);
  await t.store('a', { wallMs: V + 2, value: 'y', expiresAtMs: V + 9 });
  assert.equal(index(), 1);
  await t.store('a', { wallMs: V + 3, value: 'z' });
  assert.equal(index(), 0);
});

test('a stopped replica refuses', async () => {
  const t = await TestReplica.open();
  const under = t.store('a', { wallMs: V, value: 'x' });
  await settle();
  await t.replica.stop();
  assert.equal(await under, `held ${V}`);
  assert.equal(await t.ask('a'), 'refused STOPPING');
  const [stored] = [...t.disk.contents(Uint8Array.of(2), Uint8Array.of(3))];
  assert.equal(
    decodeRecord(dataKey(t.request({ type: 'ask' }, 'a')), stored!.value, stored!.key).version.wallMs,
    V,
  );
});
