import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Move, toEpoch, toMoveSession } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import { type BulkRecord, openPage, packRecords } from '../../peer/bulk-page.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import { dataKey } from '../../storage/key-layout.ts';
import { encodeRecord } from '../../storage/record.ts';
import type { PageStored } from './page-admission.ts';
import { SELF, START_MS, TestReplica, versionOf } from './test-replica.ts';

const V = START_MS - 20_000;
const OTHERS = [2, 3, 4];
const SESSION = toMoveSession(6);
const JOINT: Move = { session: SESSION, to: [SELF, 2, 3], stage: 'joint', entered: [] };
const PROMISES = { floor: versionOf(V + 5), watermark: versionOf(V + 5) };
const AT = { partition: 0, epoch: toEpoch(6) };

function recordOf(key: string, wallMs: number, value: string | undefined, namespaceId = 1): BulkRecord {
  const name = Buffer.from(key);
  const record = encodeRecord(dataKey({ partition: 0, namespaceId, key: name }), {
    version: versionOf(wallMs),
    isTombstone: value === undefined,
    ...{ expiresAtMs: undefined, contentType: undefined, value: Buffer.from(value ?? '') },
  });
  return { namespaceId, key: name, record };
}

const storePage = (t: TestReplica, at: PartitionAt, records: readonly BulkRecord[]): Promise<PageStored> =>
  t.replica.storePage(at, openPage(packRecords(at.partition, records), at.partition));

/** A member that has entered partition 0 under epoch 6, with floor and watermark at V + 5. */
async function filling(): Promise<TestReplica> {
  const t = await TestReplica.open();
  const still = { replicas: [SELF, 2, 3], epoch: toEpoch(5) };
  t.topology.become(5, [{ replicas: OTHERS, epoch: toEpoch(5) }, still]);
  t.topology.become(6, [{ replicas: OTHERS, epoch: toEpoch(6), move: JOINT }, still]);
  await settle();
  await t.until(t.replica.enter(0, SESSION, PROMISES), settle);
  await t.until(t.replica.treesBuilt(), settle);
  return t;
}

test('a page is durable when it is stored, all of it in one batch, and the tree has it', async () => {
  const t = await filling();
  const records = ['a', 'b', 'c'].map((key) => recordOf(key, V + 20, key));
  assert.deepEqual(await storePage(t, AT, records), { type: 'stored', damaged: [] });
  assert.equal(t.owned().tree?.entryCount, 3);
  await t.crash();
  assert.deepEqual([...t.stored().keys()], ['a', 'b', 'c']);
});

test('what is newer here stays; what is older is replaced', async () => {
  const t = await filling();
  await t.store('a', { wallMs: V + 30, value: 'newer' });
  await t.store('b', { wallMs: V + 10, value: 'older' });
  await storePage(t, AT, [recordOf('a', V + 20, 'x'), recordOf('b', V + 20, 'y')]);
  assert.equal(await t.read('a'), `seen ${V + 30}`);
  assert.equal(await t.read('b'), `seen ${V + 20}`);
});

test('whatever lies between the keys of a page, and in whatever order they come, what is newer here stays', async () => {
  const t = await filling();
  for (let i = 0; i < 150; i++) await t.store(`b${i}`, { wallMs: V + 10, value: 'between' });
  for (const key of ['a', 'b77', 'c']) await t.store(key, { wallMs: V + 30, value: 'newer' });
  await t.crash();
  await t.until(t.replica.treesBuilt(), settle);
  const page = ['a', 'a2', 'b149x', 'b77', 'c'].map((key) => recordOf(key, V + 20, 'older'));
  for (const records of [page, page.toReversed(), [...page, ...page]])
    assert.deepEqual(await storePage(t, AT, records), { type: 'stored', damaged: [] });
  for (const key of ['a', 'b77', 'c']) assert.equal(await t.read(key), `seen ${V + 30}`);
  for (const key of ['a2', 'b149x']) assert.equal(await t.read(key), `seen ${V + 20}`);
  assert.equal(t.owned().tree?.entryCount, 154);
});

test('where the range of a page cannot be read, its keys are looked up one by one', async () => {
  const t = await filling();
  await t.store('c', { wallMs: V + 30, value: 'not of a page' });
  const records = ['a', 'b'].map((key) => recordOf(key, V + 20, key));
  t.disk.faults.failNextRead = true;
  assert.deepEqual(await storePage(t, AT, records), { type: 'stored', damaged: [] });
  assert.equal(await t.read('b'), `seen ${V + 20}`);
});

test('below the watermark a record is taken, since this member began empty, and a tombstone is not', async () => {
  const t = await filling();
  const page = [recordOf('a', V + 3, 'x'), recordOf('b', V + 3, undefined)];
  assert.deepEqual(await storePage(t, AT, page), { type: 'stored', damaged: [] });
  assert.deepEqual([...t.stored().keys()], ['a']);
});

test('a page of another epoch, of an earlier session, or of a namespace that is not known writes nothing', async () => {
  const t = await filling();
  const page = [recordOf('a', V + 20, 'x')];
  for (const epoch of [4, 5, 7]) {
    const stored = await storePage(t, { partition: 0, epoch: toEpoch(epoch) }, page);
    assert.equal(stored.type === 'refused' && stored.code, 'EPOCH_UNKNOWN', `epoch ${epoch}`);
  }
  const unknown = await storePage(t, AT, [...page, recordOf('b', V + 20, 'x', 9)]);
  assert.equal(unknown.type, 'refused');
  assert.deepEqual([...t.stored().keys()], []);
});

test('an epoch that changes while keys are looked up refuses the whole page', async () => {
  const t = await filling();
  await t.store('c', { wallMs: V + 30, value: 'not of a page' });
  const storing = storePage(t, AT, [recordOf('a', V + 20, 'x')]);
  t.topology.become(7, [
    { replicas: OTHERS, epoch: toEpoch(7) },
    { replicas: [SELF, 2, 3], epoch: toEpoch(5) },
  ]);
  assert.equal((await t.until(storing, settle)).type, 'refused');
  assert.equal(t.stored().has('a'), false);
});

test('a dropped namespace has nothing to store, and does not hold the page up', async () => {
  const t = await filling();
  t.namespaces.set(2, 'dropped');
  const page = [recordOf('a', V + 20, 'x', 2), recordOf('b', V + 20, 'y')];
  assert.deepEqual(await storePage(t, AT, page), { type: 'stored', damaged: [] });
  assert.deepEqual([...t.stored().keys()], ['b']);
});

test('a record that fails its checksum is left out and named; the others are stored', async () => {
  const t = await filling();
  const damaged = recordOf('a', V + 20, 'x');
  damaged.record[damaged.record.length - 1] = 0;
  const stored = await storePage(t, AT, [damaged, recordOf('b', V + 20, 'y')]);
  const names = stored.type === 'stored' && stored.damaged.map(({ key }) => Buffer.from(key).toString());
  assert.deepEqual(names, ['a']);
  assert.deepEqual([...t.stored().keys()], ['b']);
});

test('a page is not stored before what it found under way is durable', async () => {
  const t = await filling();
  t.disk.faults.syncDelayMs = 100;
  const writing = t.store('a', { wallMs: V + 30, value: 'newer' });
  await settle();
  let isStored = false;
  const storing = storePage(t, AT, [recordOf('a', V + 20, 'x')]).then(() => {
    isStored = true;
  });
  await settle();
  assert.equal(isStored, false);
  t.clock.advance(100);
  await settle();
  await Promise.all([writing, storing]);
  assert.equal(isStored, true);
});
