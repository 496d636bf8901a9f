import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PersistedState, toIndex, toTerm } from '../../core/raft/types.ts';
import type { EngineOperation } from '../engine.ts';
import { createRaftOperations } from './raft-operations.ts';
import type { RaftStore } from './raft-store.ts';
import {
  command,
  intactState,
  OPTIONS,
  type RecordedWrite,
  recording,
  recordsNeeded,
  recordsOf,
  snapshotAt,
  TestDisk,
} from './testing.ts';

/** A log 8..20 behind a snapshot at 10 in three chunks. */
const BASE: PersistedState = {
  hardState: { term: toTerm(2), vote: 1, commit: toIndex(12) },
  snapshot: snapshotAt(10, 1, 250),
  entries: Array.from({ length: 13 }, (_, i) => command(8 + i, 8 + i > 10 ? 2 : 1, 20)),
  applied: toIndex(10),
};
const HARD_STATE = { term: toTerm(3), vote: 2, commit: toIndex(12) };
const entriesOf = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => command(first + i, 3, 30));

type Case = { readonly name: string; readonly run: (store: RaftStore) => Promise<void> };
const persist =
  (snapshot: PersistedState['snapshot'] | undefined, entries: PersistedState['entries']) =>
  (store: RaftStore): Promise<void> =>
    store.persist({ snapshot, entries, hardState: HARD_STATE }, { sync: true });
const CASES: readonly Case[] = [
  { name: 'persist behind the end', run: persist(undefined, entriesOf(21, 3)) },
  { name: 'persist over a suffix', run: persist(undefined, entriesOf(13, 2)) },
  { name: 'persist a hard state', run: persist(undefined, []) },
  { name: 'persist a snapshot ahead of the log', run: persist(snapshotAt(30, 3, 450), entriesOf(31, 2)) },
  { name: 'persist a snapshot amid the log', run: persist(snapshotAt(15, 3, 120), []) },
  {
    name: 'saveSnapshot, keeping some entries',
    run: (store) => store.saveSnapshot(snapshotAt(12, 2, 380), toIndex(11)),
  },
  {
    name: 'saveSnapshot, keeping none below',
    run: (store) => store.saveSnapshot(snapshotAt(12, 2, 50), toIndex(13)),
  },
];

async function begin(): Promise<TestDisk> {
  const disk = new TestDisk();
  await disk.engine.write(createRaftOperations(BASE, OPTIONS), { sync: true });
  return disk;
}

/** What `run` writes, and the state that it leads to. */
async function record({ run }: Case): Promise<{ writes: RecordedWrite[]; after: PersistedState }> {
  const disk = await begin();
  const writes: RecordedWrite[] = [];
  const store = disk.open(recording(disk.engine, writes));
  await store.load();
  writes.length = 0;
  await run(store);
  return { writes, after: intactState(await disk.reopen().load()) };
}

/** What a crash during a write may leave of it: all; of a range that is being deleted also any part. */
async function torn(disk: TestDisk, { batch }: RecordedWrite): Promise<(readonly EngineOperation[])[]> {
  const range = batch[0];
  if (range?.type !== 'delete-range') return [batch];
  await using view = disk.engine.openView({ reverse: false });
  const { entries } = await view.page(range, { entriesMax: 100, bytesMax: 1 << 20 });
  const keys = entries.map(({ key }) => key);
  const parts = keys.flatMap((key, i) => [keys.slice(0, i), keys.slice(i), [key]]);
  const deletes = parts.map((part) => part.map((key) => ({ type: 'delete', key }) as const));
  return [batch, ...deletes.filter((part) => part.length > 0)];
}

for (const each of CASES) {
  test(`R24: ${each.name}: a crash at every step leaves the state before or after`, async () => {
    const { writes, after } = await record(each);
    const decisive = writes.findIndex(({ sync }) => sync);
    assert.ok(decisive >= 0 && writes.slice(decisive + 1).every(({ sync }) => !sync), 'one synced write');
    for (let crashAfter = 0; crashAfter <= writes.length; crashAfter++) {
      const probe = await begin();
      for (const { batch } of writes.slice(0, Math.max(0, crashAfter - 1)))
        await probe.engine.write(batch, { sync: true });
      const last = writes[crashAfter - 1];
      const tears = last === undefined ? [[]] : await torn(probe, last);
      for (const tear of tears)
        await checkCrash(writes.slice(0, Math.max(0, crashAfter - 1)), tear, {
          expected: crashAfter > decisive ? after : BASE,
        });
    }
  });
}

async function checkCrash(
  writes: readonly RecordedWrite[],
  last: readonly EngineOperation[],
  { expected }: { readonly expected: PersistedState },
): Promise<void> {
  const disk = await begin();
  for (const { batch } of writes) await disk.engine.write(batch, { sync: true });
  if (last.length > 0) await disk.engine.write(last, { sync: true });
  const store = disk.reopen();
  assert.deepEqual(intactState(await store.load()), expected);
  // Nothing of the half done is left, and the store works on.
  assert.equal((await recordsOf(disk.engine)).length, recordsNeeded(expected));
  const next = (expected.entries.at(-1)?.index ?? expected.snapshot.index) + 1;
  const entry = command(next, 3, 5);
  await store.persist(
    { snapshot: undefined, entries: [entry], hardState: { ...expected.hardState, term: toTerm(3) } },
    { sync: true },
  );
  assert.deepEqual(intactState(await disk.reopen().load()).entries, [...expected.entries, entry]);
}

test('R14: a replaced suffix never returns, however the log grows over its place', async () => {
  const disk = await begin();
  const store = disk.open();
  await store.load();
  await persist(undefined, entriesOf(13, 1))(store);
  assert.equal((await recordsOf(disk.engine)).length, recordsNeeded(BASE) - 7);
  const loaded = await disk.reopen().load();
  assert.deepEqual(intactState(loaded).entries, [...BASE.entries.slice(0, 5), ...entriesOf(13, 1)]);
  assert.equal(loaded.type === 'intact' && loaded.cutEntries, 0);
});

test('R14: a log that a snapshot replaced never returns', async () => {
  const disk = await begin();
  const store = disk.open();
  await store.load();
  const snapshot = snapshotAt(15, 3, 120);
  await persist(snapshot, [])(store);
  const state = { hardState: HARD_STATE, snapshot, entries: [], applied: snapshot.index };
  assert.equal((await recordsOf(disk.engine)).length, recordsNeeded(state));
  assert.deepEqual(await disk.reopen().load(), { type: 'intact', state, cutEntries: 0 });
});

test('RaftStore: a snapshot that a newer one overtook changes nothing and leaves nothing', async () => {
  const disk = await begin();
  const store = disk.open();
  await store.load();
  const saving = store.saveSnapshot(snapshotAt(12, 2, 900), toIndex(11));
  const received = snapshotAt(30, 3, 120);
  await persist(received, [])(store);
  await saving;
  const state = intactState(await disk.reopen().load());
  assert.deepEqual(state, {
    hardState: HARD_STATE,
    snapshot: received,
    entries: [],
    applied: received.index,
  });
  assert.equal((await recordsOf(disk.engine)).length, recordsNeeded(state));
});

test('R24: two snapshots at once leave the newer one, whichever began first', async () => {
  for (const order of [
    [12, 14],
    [14, 12],
  ]) {
    const disk = await begin();
    const store = disk.open();
    await store.load();
    const bytes = (index: number): number => (index === 12 ? 900 : 250);
    await Promise.all(
      order.map((index) => store.saveSnapshot(snapshotAt(index, 2, bytes(index)), toIndex(index))),
    );
    assert.equal((await recordsOf(disk.engine)).length, 3 + 3 + 7);
    const state = intactState(await disk.reopen().load());
    assert.deepEqual(state.snapshot, snapshotAt(14, 2, 250));
    assert.deepEqual(state.entries, BASE.entries.slice(6));
  }
});

test('RaftStore: entries that are persisted while a snapshot is saved are kept', async () => {
  const disk = await begin();
  const store = disk.open();
  await store.load();
  const snapshot = snapshotAt(12, 2, 900);
  const saving = store.saveSnapshot(snapshot, toIndex(12));
  for (let i = 0; i < 6; i++) await persist(undefined, entriesOf(21 + i, 1))(store);
  await saving;
  const state = intactState(await disk.reopen().load());
  assert.deepEqual(state.snapshot, snapshot);
  assert.deepEqual(state.entries, [...BASE.entries.slice(4), ...entriesOf(21, 6)]);
});
