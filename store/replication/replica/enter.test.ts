import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Move,
  type MoveSession,
  type Partition,
  toEpoch,
  toMoveSession,
} from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import { SELF, START_MS, TestReplica, versionOf } from './test-replica.ts';

const V = START_MS - 20_000;
const SESSION = toMoveSession(6);
const NO_PROMISES = { floor: versionOf(0), watermark: versionOf(0) };

const OTHERS = [2, 3, 4];
const TO = [SELF, 2, 3];
const joint = (session: MoveSession): Move => ({ session, to: TO, stage: 'joint', entered: [] });
const transfer = (session: MoveSession): Move => ({
  ...{ session, to: TO, stage: 'transfer', confirmed: [], sources: [], synced: [] },
});

function set(t: TestReplica, epoch: number, replicas: readonly number[], move?: Move): void {
  const still: Partition = { replicas: [SELF, 2, 3], epoch: toEpoch(5) };
  const moving = { replicas, epoch: toEpoch(epoch), ...(move === undefined ? {} : { move }) };
  t.topology.become(epoch, [moving, still]);
}

async function leaveAndReturn(t: TestReplica, session: number): Promise<void> {
  set(t, session - 1, OTHERS);
  set(t, session, OTHERS, joint(toMoveSession(session)));
  await settle();
}

test('a member that leaves deletes the partition, and nothing of others', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'x' });
  await t.store('z', { wallMs: V, value: 'y' });
  set(t, 6, OTHERS);
  await t.until(
    settle().then(() => t.replica.settled()),
    settle,
  );
  assert.deepEqual([...t.stored().keys()], ['z']);
  assert.equal(t.replica.owned(0), undefined);
});

test('a member that leaves tries again where a read of its disk fails', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'x' });
  t.disk.faults.failNextRead = true;
  set(t, 6, OTHERS);
  for (let i = 0; i < 3 && t.stored().size > 0; i++) {
    await settle();
    t.clock.advance(1000);
  }
  await settle();
  assert.deepEqual([...t.stored().keys()], []);
  assert.equal(t.errors.splice(0).length, 1, 'the error is told');
});

test('D8: a member that returns serves nothing before it has entered, empty, with the promises of the set before', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'old' });
  set(t, 6, OTHERS, joint(SESSION));
  await settle();
  assert.equal(t.replica.owned(0), undefined);
  assert.equal(await t.ask('a'), 'refused EPOCH_UNKNOWN');

  const promises = { floor: versionOf(V + 9), watermark: versionOf(V + 5) };
  const entering = t.replica.enter(0, SESSION, promises);
  assert.equal(await t.until(entering, settle), true);
  assert.equal(t.replica.hasEntered(0, SESSION), true);
  assert.equal(t.owned().tree?.entryCount, 0, 'what holds nothing needs no look at the disk for its tree');
  assert.deepEqual([...t.stored().keys()], []);
  const { floor, watermark } = t.owned();
  assert.deepEqual({ floor, watermark }, promises);
  assert.equal(await t.store('b', { wallMs: V + 9, value: 'x' }), 'refused BELOW_FLOOR');
});

test('a second call, and a restart, delete nothing: a member empties once in a session', async () => {
  const t = await TestReplica.open();
  await leaveAndReturn(t, 8);
  const session = toMoveSession(8);
  assert.equal(await t.until(t.replica.enter(0, session, NO_PROMISES), settle), true);
  await t.store('a', { wallMs: V, value: 'x' });
  assert.equal(await t.replica.enter(0, session, NO_PROMISES), true);
  await t.crash();
  assert.equal(await t.replica.enter(0, session, NO_PROMISES), true);
  assert.deepEqual([...t.stored().keys()], ['a']);
  assert.equal(await t.read('a'), `seen ${V}`);
});

test('D19: an arrival that was not finished begins anew after a restart', async () => {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'old' });
  t.topology.become(8, [
    { replicas: OTHERS, epoch: toEpoch(8), move: joint(toMoveSession(8)) },
    { replicas: [SELF, 2, 3], epoch: toEpoch(5) },
  ]);
  await t.crash();
  assert.equal(t.replica.owned(0), undefined, 'the old data counts for nothing');
  assert.equal(await t.until(t.replica.enter(0, toMoveSession(8), NO_PROMISES), settle), true);
  assert.deepEqual([...t.stored().keys()], []);
});

test('D13: the end of the move ends the arrival: nothing is entered', async () => {
  const t = await TestReplica.open();
  await leaveAndReturn(t, 8);
  const entering = t.replica.enter(0, toMoveSession(8), NO_PROMISES);
  set(t, 9, OTHERS);
  assert.equal(await t.until(entering, settle), false);
  assert.equal(t.replica.hasEntered(0, toMoveSession(8)), false);
});

test('D13: what was sent for an earlier session is refused, whoever sent it, also once the member is back', async () => {
  const t = await TestReplica.open();
  const stores = (epoch: number) =>
    (['write', 'exchange', 'hint', 'write-back'] as const).map((origin) => {
      const over = { epoch: toEpoch(epoch) };
      return t.serve(t.storeRequest('a', { wallMs: V, value: 'late' }, origin, undefined, over));
    });
  const codesOf = async (epoch: number) => {
    const replies = await t.until(Promise.all(stores(epoch)), settle);
    return [...new Set(replies.map(({ body }) => (body.type === 'refused' ? body.code : body.type)))];
  };
  set(t, 6, OTHERS, joint(SESSION));
  await t.until(t.replica.enter(0, SESSION, NO_PROMISES), settle);
  set(t, 7, OTHERS);
  await settle();
  assert.deepEqual(await codesOf(6), ['STALE_EPOCH'], 'it has left');
  set(t, 8, OTHERS, joint(toMoveSession(8)));
  assert.deepEqual(await codesOf(6), ['STALE_EPOCH'], 'it is to enter');
  await t.until(t.replica.enter(0, toMoveSession(8), NO_PROMISES), settle);
  assert.deepEqual(await codesOf(6), ['STALE_EPOCH'], 'it has entered');
  assert.equal(t.stored().has('a'), false);
});

test('who fills up takes what the set before holds below its watermark, but no tombstone', async () => {
  const t = await TestReplica.open();
  await leaveAndReturn(t, 8);
  const session = toMoveSession(8);
  const promises = { floor: versionOf(V + 9), watermark: versionOf(V + 9) };
  await t.until(t.replica.enter(0, session, promises), settle);
  const bring = (key: string, record: { wallMs: number; value?: string }) =>
    t.store(key, record, 'exchange', versionOf(V));
  assert.equal(await bring('a', { wallMs: V + 3, value: 'x' }), `held ${V + 3}`);
  assert.equal(await bring('b', { wallMs: V + 3 }), 'refused BELOW_WATERMARK');
  assert.deepEqual(t.errors, [], 'nothing was lost');
  set(t, 9, OTHERS, { session, to: TO, stage: 'switch', confirmed: [] });
  await settle();
  assert.equal(await bring('c', { wallMs: V + 3, value: 'x' }), 'refused BELOW_WATERMARK');
});

test('an epoch is confirmed once it is durable, and what was accepted under an older one as well', async () => {
  const t = await TestReplica.open();
  const stay = (epoch: number, move: Move): void =>
    t.topology.become(epoch, [
      { replicas: TO, epoch: toEpoch(epoch), move },
      { replicas: TO, epoch: toEpoch(5) },
    ]);
  t.disk.faults.syncDelayMs = 100;
  const writing = t.store('a', { wallMs: V, value: 'x' });
  await settle();
  stay(7, transfer(toMoveSession(6)));
  await settle();
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), false);
  t.clock.advance(100);
  await settle();
  assert.equal(await writing, `held ${V}`);
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), false, 'the epoch is not durable yet');
  t.clock.advance(100);
  await settle();
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), true);
  assert.equal(t.replica.mayConfirm(0, toEpoch(6)), false);
});
