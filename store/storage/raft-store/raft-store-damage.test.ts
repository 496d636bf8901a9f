import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationOf } from '../../core/raft/configuration.ts';
import { type Entry, type PersistedState, toIndex, toTerm } from '../../core/raft/types.ts';
import { seal } from '../checksum.ts';
import { EngineFailedError } from '../engine.ts';
import type { DamagedRaft, LoadedRaft } from './load-raft.ts';
import { createRaftOperations } from './raft-operations.ts';
import { putEntry } from './raft-records.ts';
import {
  CHUNK_BYTES,
  command,
  intactState,
  KEYS,
  recording,
  recordsNeeded,
  recordsOf,
  snapshotAt,
  TestDisk,
} from './testing.ts';

const POSITION = { index: toIndex(6), term: toTerm(2) };
const ENTRIES: readonly Entry[] = [
  command(4, 1, 10),
  command(5, 2, 0),
  { type: 'no-op', ...POSITION },
  { type: 'config', ...POSITION, index: toIndex(7), configuration: configurationOf([1, 2, 3], [4]) },
];
const STATE: PersistedState = {
  hardState: { term: toTerm(2), vote: 3, commit: toIndex(6) },
  snapshot: snapshotAt(5, 2, 230),
  entries: ENTRIES,
  applied: toIndex(5),
};

/** A disk with STATE whose snapshot lies in small chunks. */
async function begin(): Promise<TestDisk> {
  const disk = new TestDisk();
  const before = snapshotAt(3, 1, 10);
  const store = await disk.create({ ...STATE, snapshot: before, applied: before.index });
  await store.saveSnapshot(STATE.snapshot, toIndex(4));
  assert.deepEqual(intactState(await store.load()), STATE);
  return disk;
}

function damageOf(loaded: LoadedRaft): DamagedRaft {
  if (loaded.type !== 'damaged') throw new Error(`taken for ${loaded.type}`);
  return loaded;
}

test('S5: every flipped bit of every record is found', async () => {
  const disk = await begin();
  const records = await recordsOf(disk.engine);
  assert.equal(records.length, recordsNeeded(STATE));
  for (const { key, value } of records) {
    for (let bit = 0; bit < value.length * 8; bit++) {
      const flipped = new Uint8Array(value);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      await disk.engine.write([{ type: 'put', key, value: flipped }], { sync: true });
      damageOf(await disk.open().load());
    }
    await disk.engine.write([{ type: 'put', key, value }], { sync: true });
  }
  assert.deepEqual(intactState(await disk.open().load()), STATE);
});

test('S5: every record that is gone, cut short or under the key of another is found', async () => {
  const disk = await begin();
  const records = await recordsOf(disk.engine);
  for (const [i, { key, value }] of records.entries()) {
    const other = records[(i + 1) % records.length]?.value as Uint8Array;
    for (const wrong of [value.subarray(0, value.length - 1), new Uint8Array(0), other]) {
      await disk.engine.write([{ type: 'put', key, value: wrong }], { sync: true });
      damageOf(await disk.open().load());
    }
    await disk.engine.write([{ type: 'delete', key }], { sync: true });
    damageOf(await disk.open().load());
    await disk.engine.write([{ type: 'put', key, value }], { sync: true });
  }
});

test('S5: a damaged log says what is wrong and keeps what can be read, untouched', async () => {
  const disk = await begin();
  disk.disk.corrupt(KEYS.entry(toIndex(6)));
  const records = await recordsOf(disk.engine);
  const { reason, lastIndex, entries, hardState, snapshot } = damageOf(await disk.open().load());
  assert.equal(reason, 'entry 6 fails its checksum');
  assert.equal(lastIndex, 7);
  assert.deepEqual(entries, ENTRIES.slice(0, 2));
  assert.deepEqual(hardState, STATE.hardState);
  assert.deepEqual(snapshot, STATE.snapshot);
  assert.deepEqual(await recordsOf(disk.engine), records);
  const store = disk.open();
  await store.load();
  const work = { snapshot: undefined, entries: [command(8, 2, 1)], hardState: undefined };
  await assert.rejects(store.persist(work, { sync: true }), /must be loaded, and intact/);
});

test('S5: without the bounds the entries that follow each other can still be read', async () => {
  const disk = await begin();
  disk.disk.corrupt(KEYS.bounds);
  const damage = damageOf(await disk.open().load());
  assert.match(damage.reason, /bounds of the log fails its checksum/);
  assert.deepEqual([damage.lastIndex, damage.entries], [7, ENTRIES]);
});

test('S5: a damaged chunk costs the snapshot, and the entries can still be read', async () => {
  const disk = await begin();
  disk.disk.corrupt(KEYS.chunk(2, 1));
  const damage = damageOf(await disk.open().load());
  assert.equal(damage.reason, 'chunk 1 of the snapshot fails its checksum');
  assert.deepEqual([damage.snapshot, damage.entries], [undefined, ENTRIES]);
});

test('RaftStore.load refuses what a newer version wrote, which is no damage', async () => {
  const disk = await begin();
  const write = (value: Uint8Array): Promise<void> =>
    disk.engine.write([{ type: 'put', key: KEYS.hardState, value }], { sync: true });
  const value = Buffer.alloc(7);
  seal(KEYS.hardState, value, 2);
  await write(value);
  await assert.rejects(disk.open().load(), /written by a newer Kvorum: .* storage format 2/);
  value[6] = 1;
  await write(value);
  assert.match(damageOf(await disk.open().load()).reason, /fails its checksum/, 'no version wrote that');
});

test('S3: entries behind the end of the log are cut, said, and gone for good', async () => {
  const disk = await begin();
  for (const index of [8, 9, 11]) {
    const entry = command(index, 2, 10);
    await disk.engine.write([putEntry(KEYS.entry(entry.index), entry)], { sync: true });
  }
  disk.disk.corrupt(KEYS.entry(toIndex(9)));
  const loaded = await disk.reopen().load();
  assert.deepEqual(loaded, { type: 'intact', state: STATE, cutEntries: 3 });
  const again = await disk.open().load();
  assert.deepEqual(again, { type: 'intact', state: STATE, cutEntries: 0 });
});

test('R24: a log that ends below what is committed is damaged, never a shorter log', async () => {
  const disk = new TestDisk();
  const hardState = { ...STATE.hardState, commit: toIndex(8) };
  await disk.engine.write(createRaftOperations({ ...STATE, hardState }), { sync: true });
  const { reason } = damageOf(await disk.open().load());
  assert.equal(reason, 'the log ends at 7, and 8 is committed');
});

test('R27: a read that fails is an error, never the end of the log or of a snapshot', async () => {
  const disk = await begin();
  const reads = { count: 0, failAt: 0 };
  const engine = recording(disk.engine, []);
  const count = (): void => {
    if (reads.count++ === reads.failAt) disk.disk.faults.failNextRead = true;
  };
  const failing = {
    ...engine,
    getMany(keys: readonly Uint8Array[]) {
      count();
      return engine.getMany(keys);
    },
    openView(options: { readonly reverse: boolean }) {
      const view = engine.openView(options);
      const page: typeof view.page = (range, limits) => {
        if (reads.count++ === reads.failAt) return Promise.reject(new Error('EIO: a read failed'));
        return view.page(range, limits);
      };
      return { ...view, page, close: () => view.close(), [Symbol.asyncDispose]: () => view.close() };
    },
  };
  const work = (): Promise<LoadedRaft> => {
    reads.count = 0;
    return disk.open(failing).load();
  };
  reads.failAt = -1;
  assert.equal((await work()).type, 'intact');
  const readsNeeded = reads.count;
  assert.ok(readsNeeded > 1 + 230 / CHUNK_BYTES);
  for (reads.failAt = 0; reads.failAt < readsNeeded; reads.failAt++)
    await assert.rejects(work(), /EIO: a read/, `read ${reads.failAt}`);
});

test('S1, R1, R2: what was persisted with sync survives any crash', async () => {
  const term = { lost: 0 };
  for (let seed = 1; seed <= 30; seed++) {
    const disk = new TestDisk(seed);
    const store = await disk.create(STATE);
    const hardState = { term: toTerm(9), vote: 2, commit: toIndex(6) };
    await store.persist({ snapshot: undefined, entries: [], hardState }, { sync: true });
    const moved = { ...hardState, commit: toIndex(7) };
    await store.persist({ snapshot: undefined, entries: [], hardState: moved }, { sync: false });
    const found = intactState(await disk.reopen().load()).hardState;
    assert.deepEqual([found.term, found.vote], [9, 2]);
    if (found.commit === 6) term.lost++;
  }
  assert.ok(term.lost > 0 && term.lost < 30, 'the commit index alone is not synced');
});

test('S2: after a failed fsync nothing is promised any more', async () => {
  const disk = await begin();
  const store = disk.open();
  await store.load();
  disk.disk.faults.failNextSync = true;
  const work = (index: number) => ({
    snapshot: undefined,
    entries: [command(index, 2, 1)],
    hardState: undefined,
  });
  await assert.rejects(store.persist(work(8), { sync: true }), EngineFailedError);
  await assert.rejects(store.persist(work(9), { sync: true }), EngineFailedError);
  const { entries } = intactState(await disk.reopen().load());
  assert.ok(entries.length === 4 || entries.length === 5);
});
