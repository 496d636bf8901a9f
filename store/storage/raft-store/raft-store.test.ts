import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapState, emptyState } from '../../core/raft/bootstrap.ts';
import { configurationOf } from '../../core/raft/configuration.ts';
import { toIndex, toTerm } from '../../core/raft/types.ts';
import { asMember } from './load-raft.ts';
import { createRaftOperations, removeRaftBatches } from './raft-operations.ts';
import { command, intactState, snapshotAt, TestDisk } from './testing.ts';

const CONFIGURATION = configurationOf([1, 2, 3]);

test('RaftStore.load says what is there: nothing, a new log, a removed one', async () => {
  const disk = new TestDisk();
  const store = disk.open();
  assert.deepEqual(await store.load(), { type: 'empty' });
  assert.equal(asMember({ type: 'empty' }).type, 'damaged');
  for (const state of [bootstrapState(CONFIGURATION), emptyState()]) {
    await disk.engine.write(createRaftOperations(state), { sync: true });
    assert.deepEqual(intactState(await store.load()), state);
  }
  for (const batch of removeRaftBatches()) await disk.engine.write(batch, { sync: true });
  assert.deepEqual(await store.load(), { type: 'empty' });
});

test('RaftStore keeps entries of every type, hard state and snapshot, across a crash', async () => {
  const disk = new TestDisk();
  const store = await disk.create(bootstrapState(CONFIGURATION));
  const hardState = { term: toTerm(2 ** 40), vote: 3, commit: toIndex(2) };
  const entries = [
    command(2, 1, 300),
    { type: 'no-op', index: toIndex(3), term: toTerm(2 ** 40) },
    { type: 'config', index: toIndex(4), term: toTerm(2 ** 40), configuration: CONFIGURATION },
  ] as const;
  await store.persist({ snapshot: undefined, entries, hardState }, { sync: true });
  disk.crash();
  const before = intactState(await disk.open().load());
  assert.deepEqual(before.entries.slice(1), entries);
  assert.deepEqual(before.hardState, hardState);
  const again = disk.reopen();
  await again.load();
  const snapshot = snapshotAt(3, 2 ** 40, 300);
  await again.saveSnapshot(snapshot, toIndex(3));
  disk.crash();
  const after = intactState(await disk.open().load());
  assert.deepEqual(after, { hardState, snapshot, entries: entries.slice(1), applied: toIndex(3) });
});

test('RaftStore refuses to write before it has loaded an intact state', async () => {
  const disk = new TestDisk();
  const store = disk.open();
  const work = { snapshot: undefined, entries: [command(1, 1, 1)], hardState: undefined };
  await assert.rejects(store.persist(work, { sync: true }), /must be loaded/);
  await store.load();
  await assert.rejects(store.persist(work, { sync: true }), /must be loaded/);
});

test('RaftStore refuses entries that would leave a gap', async () => {
  const store = await new TestDisk().create(bootstrapState(CONFIGURATION));
  const persist = (entries: readonly number[]): Promise<void> =>
    store.persist(
      { snapshot: undefined, entries: entries.map((index) => command(index, 1, 1)), hardState: undefined },
      { sync: true },
    );
  await assert.rejects(persist([3]), /entry 3 leaves a gap/);
  await assert.rejects(persist([2, 4]), /a gap in the log before entry 4/);
});
