import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import type { ReplicaReply, ReplicaRequest } from '../../peer/replica-messages.ts';
import { metaKey } from '../../storage/key-layout.ts';
import { SELF, START_MS, said, TestReplica, versionOf } from './test-replica.ts';

const V = START_MS - 100;

/** What the call came to, as soon as it does. */
function following(reply: Promise<ReplicaReply>): { said: string | undefined; epoch: number | undefined } {
  const seen: { said: string | undefined; epoch: number | undefined } = { said: undefined, epoch: undefined };
  void reply.then(({ body, epoch }) => {
    seen.said = said(body);
    seen.epoch = epoch;
  });
  return seen;
}

async function answer(t: TestReplica, over: Partial<ReplicaRequest>): Promise<string> {
  const { body, epoch } = await t.serve(t.request({ type: 'ask' }, 'a', over));
  return `${said(body)} at ${epoch}`;
}

test('only the epoch of the partition, the owner and the member that is meant are served', async () => {
  const t = await TestReplica.open();
  assert.equal(await answer(t, {}), 'asked nothing at 5');
  assert.equal(await answer(t, { epoch: toEpoch(4) }), 'refused STALE_EPOCH at 5');
  assert.equal(await answer(t, { to: 2 }), 'refused WRONG_MEMBER at 5');
  assert.equal(await answer(t, { partition: 2 }), 'refused NOT_OWNER at 0');
  t.topology.set(6, [
    [SELF, 2],
    [2, 3],
  ]);
  assert.equal(await answer(t, { partition: 1 }), 'refused NOT_OWNER at 6');
  assert.deepEqual(t.replica.ownedPartitions(), []);
  await settle();
  assert.deepEqual(t.replica.ownedPartitions(), [0]);
});

test('a request from the future waits for the topology, and is refused at its deadline', async () => {
  const t = await TestReplica.open();
  const early = following(
    t.serve(t.storeRequest('a', { wallMs: V, value: 'x' }, 'write', undefined, { epoch: toEpoch(7) })),
  );
  const ending = new AbortController();
  const late = following(t.serve(t.request({ type: 'ask' }, 'a', { epoch: toEpoch(9) }), ending.signal));
  await settle();
  assert.deepEqual([early.said, late.said], [undefined, undefined]);
  t.topology.set(7, [[SELF], [SELF]]);
  ending.abort();
  await settle();
  assert.deepEqual(early, { said: `held ${V}`, epoch: 7 });
  assert.deepEqual(late, { said: 'refused EPOCH_UNKNOWN', epoch: 7 });
});

test('who claims an epoch that the partition never had is refused once the topology is there', async () => {
  const t = await TestReplica.open();
  const claimed = following(t.serve(t.request({ type: 'ask' }, 'a', { epoch: toEpoch(8) })));
  t.topology.epoch = toEpoch(8);
  t.topology.set(9, [[SELF], [SELF]]);
  t.topology.set(10, [[SELF], [SELF]]);
  await settle();
  assert.equal(claimed.said, 'refused STALE_EPOCH');
  t.topology.epoch = toEpoch(30);
  assert.equal(await answer(t, { epoch: toEpoch(20) }), 'refused EPOCH_UNKNOWN at 10');
});

test('nothing is served under an epoch before it is durable, and after a crash nothing under an older one', async () => {
  const t = await TestReplica.open();
  t.disk.faults.syncDelayMs = 100;
  t.topology.set(6, [[SELF], [SELF]]);
  const stale = following(t.serve(t.request({ type: 'ask' }, 'a', { epoch: toEpoch(5) })));
  const fresh = following(t.serve(t.request({ type: 'ask' }, 'a')));
  await settle();
  assert.deepEqual([stale.said, fresh.said], ['refused STALE_EPOCH', undefined]);
  assert.equal(t.replica.owned(0), undefined);
  t.clock.advance(100);
  await settle();
  assert.deepEqual(fresh, { said: 'asked nothing', epoch: 6 });

  t.disk.faults.syncDelayMs = 0;
  t.topology.set(5, [[SELF], [SELF]]);
  await t.crash();
  assert.equal(await answer(t, { epoch: toEpoch(5) }), 'refused STALE_EPOCH at 6');
  const waiting = following(t.serve(t.request({ type: 'ask' }, 'a', { epoch: toEpoch(6) })));
  await settle();
  assert.equal(waiting.said, undefined, 'the topology has to get there again');
  t.topology.set(6, [[SELF], [SELF]]);
  await settle();
  assert.equal(waiting.said, 'asked nothing');
});

test('a read is fenced once more when the engine has answered, and a store when its key is known', async () => {
  const t = await TestReplica.open({ versionCacheEntriesMax: 0 });
  await t.store('a', { wallMs: V, value: 'x' });
  const read = following(t.serve(t.request({ type: 'read', isFull: true }, 'a')));
  const store = following(t.serve(t.storeRequest('b', { wallMs: V, value: 'x' })));
  t.topology.set(6, [[SELF], [SELF]]);
  await settle();
  assert.deepEqual(read, { said: 'refused STALE_EPOCH', epoch: 6 });
  assert.deepEqual(store, { said: 'refused STALE_EPOCH', epoch: 6 });
  assert.equal(t.stored().has('b'), false);
});

test('a write that was let in answers under the epoch that it was let in under', async () => {
  const t = await TestReplica.open();
  await t.ask('a');
  const store = following(t.serve(t.storeRequest('a', { wallMs: V, value: 'x' })));
  t.topology.set(6, [[SELF], [SELF]]);
  await settle();
  assert.deepEqual(store, { said: `held ${V}`, epoch: 5 });
});

test('a namespace that is not known yet is waited for, and one that was dropped is refused', async () => {
  const t = await TestReplica.open();
  const waiting = following(t.serve(t.request({ type: 'ask' }, 'a', { namespaceId: 2 })));
  t.namespaces.set(3, 'dropped');
  assert.equal(await answer(t, { namespaceId: 3 }), 'refused NAMESPACE_NOT_FOUND at 5');
  await settle();
  assert.equal(waiting.said, undefined);
  t.namespaces.set(2, 'served');
  t.replica.namespacesChanged();
  await settle();
  assert.equal(waiting.said, 'asked nothing');
});

test('who has lost what it promised takes no part, of a partition or altogether', async () => {
  const t = await TestReplica.open();
  t.replica.takeOut('a restored disk', 0);
  assert.equal(await t.ask('a'), 'refused REPLICA_OUT');
  assert.equal(await t.ask('z'), 'asked nothing');
  assert.equal(t.replica.outReason, undefined);
  t.replica.takeOut('a restored disk');
  assert.equal(await t.ask('z'), 'refused REPLICA_OUT');
  assert.equal(t.replica.outReason, 'a restored disk');
});

test('a partition whose promises are damaged is out, the others serve', async () => {
  const t = await TestReplica.open();
  assert.ok(t.disk.corrupt(metaKey('partition-0')));
  await t.crash();
  assert.equal(await t.ask('a'), 'refused REPLICA_OUT');
  assert.equal(await t.ask('z'), 'asked nothing');
  await t.crash();
  assert.equal(await t.ask('a'), 'refused REPLICA_OUT', 'the damage is not written over');
});

test('floors and watermarks survive a crash once they are confirmed, and refuse from the turn of the call', async () => {
  const t = await TestReplica.open();
  const old = START_MS - 15_000;
  await t.ask('a');
  t.disk.faults.syncDelayMs = 100;
  const before = following(t.serve(t.storeRequest('a', { wallMs: old, value: 'x' })));
  let isRaised = false;
  void t
    .owned()
    .raiseFloor(versionOf(old))
    .then(() => {
      isRaised = true;
    });
  assert.equal(await t.store('b', { wallMs: old, value: 'x' }), 'refused BELOW_FLOOR');
  await settle();
  assert.deepEqual([before.said, isRaised], [undefined, false]);
  for (let i = 0; i < 3; i++) {
    t.clock.advance(100);
    await settle();
  }
  assert.deepEqual([before.said, isRaised], [`held ${old}`, true]);
  t.disk.faults.syncDelayMs = 0;
  assert.equal(await t.store('a', { wallMs: old, value: 'x' }, 'hint'), `held ${old}`, 'it is held here');
  await t.crash();
  assert.deepEqual(t.owned().floor, versionOf(old));
  // D12 (scylladb#23712): a hint was replayed after its tombstone had been purged.
  assert.equal(await t.store('b', { wallMs: old, value: 'x' }, 'hint'), 'refused BELOW_FLOOR');
  await t.owned().raiseWatermark(versionOf(old + 1));
  await t.crash();
  assert.deepEqual([t.owned().floor, t.owned().watermark], [versionOf(old + 1), versionOf(old + 1)]);
  assert.equal(await t.store('b', { wallMs: old, value: 'x' }, 'repair'), 'refused BELOW_WATERMARK');
});

test('a floor too close to the clock is refused, a lower one than there is changes nothing', async () => {
  const t = await TestReplica.open();
  const highest = START_MS - 10_000 + 500;
  await assert.rejects(t.owned().raiseFloor(versionOf(highest + 1)), RangeError);
  await t.owned().raiseFloor(versionOf(highest));
  await t.owned().raiseFloor(versionOf(highest - 1));
  assert.deepEqual(t.owned().floor, versionOf(highest));
});

test('a floor is not confirmed where the disk fails', async () => {
  const t = await TestReplica.open();
  t.disk.faults.failNextSync = true;
  await assert.rejects(t.owned().raiseFloor(versionOf(START_MS - 20_000)), /fsync/);
});

test('a watermark is not acted on before it is durable, its floor is', async () => {
  const t = await TestReplica.open();
  const old = START_MS - 15_000;
  await t.store('b', { wallMs: old });
  await t.ask('a');
  t.disk.faults.syncDelayMs = 100;
  const raising = t.owned().raiseWatermark(versionOf(old));
  assert.equal(await t.store('a', { wallMs: old, value: 'x' }), 'refused BELOW_FLOOR');
  assert.equal(await t.owned().collect(10), 0);
  const { body } = await t.serve(t.request({ type: 'read', isFull: false }, 'a'));
  assert.equal(body.type === 'sight' && body.watermark.wallMs, 0);
  await t.until(raising, settle);
  assert.equal(await t.store('a', { wallMs: old, value: 'x' }, 'repair'), 'refused BELOW_WATERMARK');
  assert.equal(await t.until(t.owned().collect(10), settle), 1);
});
