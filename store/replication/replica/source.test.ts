import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Move, type Partition, toEpoch, toMoveSession } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import { SELF, START_MS, TestReplica } from './test-replica.ts';

const V = START_MS - 20_000;
const SESSION = toMoveSession(6);
const TO = [SELF, 3, 4];
const TRANSFER: Move = {
  ...{ session: SESSION, to: TO, stage: 'transfer', confirmed: [], sources: [], synced: [] },
};
const SWITCH: Move = { session: SESSION, to: TO, stage: 'switch', confirmed: [] };

async function become(t: TestReplica, epoch: number, move: Move): Promise<void> {
  const still: Partition = { replicas: [SELF, 2, 3], epoch: toEpoch(5) };
  t.topology.become(epoch, [{ replicas: [SELF, 2, 3], epoch: toEpoch(epoch), move }, still]);
  await t.until(
    settle().then(() => t.replica.settled()),
    settle,
  );
}

/** A record of partition 0 has rotted since it was written, and nobody has noticed. */
async function withRot(): Promise<TestReplica> {
  const t = await TestReplica.open();
  await t.store('a', { wallMs: V, value: 'x' });
  t.damage('a');
  await t.restart();
  return t;
}

test('who knows of damage is no source: it would not give what it said it holds', async () => {
  const t = await withRot();
  assert.equal(await t.read('a'), 'refused RECORD_CORRUPT');
  await become(t, 7, TRANSFER);
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), false);
  assert.equal(t.owned().lacksRecords, true);
  await t.store('a', { wallMs: V, value: 'x' }, 'repair');
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), true, 'it was healed');
  assert.equal(t.owned().lacksRecords, false);
});

test('the switch is confirmed with damage: nobody is filled from who confirms it', async () => {
  const t = await withRot();
  await t.read('a');
  await become(t, 7, SWITCH);
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), true);
});

test('damage that a listing comes upon is known when it ends', async () => {
  const t = await withRot();
  await become(t, 7, TRANSFER);
  assert.equal(t.owned().lacksRecords, false);
  const leaves = new Set(Array.from({ length: 16 }, (_, leaf) => leaf));
  await t.until(t.owned().listLeaves({ leaves, after: undefined, entriesMax: 10 }), settle);
  assert.equal(t.owned().lacksRecords, true);
});

test('damage is known again after a clean stop: the tree without the record is not kept', async () => {
  const t = await withRot();
  await t.store('b', { wallMs: V, value: 'y' });
  await t.read('a');
  await t.trees(settle);
  await t.restart();
  await t.trees(settle);
  await become(t, 7, TRANSFER);
  assert.equal(t.owned().lacksRecords, true);
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), false);
});
