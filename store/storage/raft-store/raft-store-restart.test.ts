import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPrng } from '../../core/prng/prng.ts';
import { bootstrapState, emptyState } from '../../core/raft/bootstrap.ts';
import { configurationOf } from '../../core/raft/configuration.ts';
import { RaftLog } from '../../core/raft/log.ts';
import { RAFT_DEFAULTS } from '../../core/raft/options.ts';
import { Raft } from '../../core/raft/raft.ts';
import { type PersistedState, toIndex, toTerm } from '../../core/raft/types.ts';
import { ENGINE_DEFAULTS, openEngine } from '../../io/open-engine.ts';
import { whyRocksdbIsUnavailable } from '../../io/rocksdb/binding.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import { createSimRandom } from '../../sim/sim-random.ts';
import type { Engine } from '../engine.ts';
import { createRaftOperations } from './raft-operations.ts';
import { openRaftStore, type RaftStore } from './raft-store.ts';
import { command, intactState, snapshotAt, TestDisk } from './testing.ts';

const OLD = configurationOf([1]);
const NEW = configurationOf([1], [2]);
const HARD_STATE = { term: toTerm(1), vote: undefined, commit: toIndex(3) };
const configAt = (index: number) =>
  ({ type: 'config', index: toIndex(index), term: toTerm(1), configuration: NEW }) as const;

async function restarted(disk: TestDisk): Promise<PersistedState> {
  return intactState(await disk.reopen().load());
}

test('R15: a snapshot keeps the configuration of its index, not a later one that may yet be dropped', async () => {
  const disk = new TestDisk();
  const store = await disk.create(bootstrapState(OLD));
  const entries = [command(2, 1, 3), command(3, 1, 3), configAt(4)];
  await store.persist({ snapshot: undefined, entries, hardState: HARD_STATE }, { sync: true });
  const log = new RaftLog({ ...(await restarted(disk)), applied: toIndex(3) });
  const again = disk.reopen();
  await again.load();
  await again.saveSnapshot(log.describe(toIndex(3), new Uint8Array(250)), toIndex(3));
  const replacement = { snapshot: undefined, entries: [command(4, 2, 1)], hardState: undefined };
  const hardState = { ...HARD_STATE, term: toTerm(2) };
  await again.persist({ ...replacement, hardState }, { sync: true });
  const state = await restarted(disk);
  assert.deepEqual(state.snapshot.configuration, OLD);
  assert.deepEqual(new RaftLog(state).current.configuration, OLD);
});

test('R16: the latest configuration of the log is in force after a restart, committed or not', async () => {
  const disk = new TestDisk();
  const store = await disk.create(bootstrapState(OLD));
  const entries = [command(2, 1, 3), command(3, 1, 3), configAt(4)];
  await store.persist({ snapshot: undefined, entries, hardState: HARD_STATE }, { sync: true });
  await store.saveSnapshot({ ...snapshotAt(3, 1, 250), configuration: OLD }, toIndex(3));
  const { index, configuration } = new RaftLog(await restarted(disk)).current;
  assert.deepEqual([index, configuration], [4, NEW]);
});

test('A member on the store elects itself, commits, compacts, crashes and goes on', async () => {
  const disk = new TestDisk();
  let store = await disk.create(bootstrapState(OLD));
  let committed = 0;
  for (let incarnation = 1; incarnation <= 4; incarnation++) {
    const persisted = await restarted(disk);
    store = disk.open();
    await store.load();
    const raft = new Raft({ ...RAFT_DEFAULTS, id: 1, incarnation }, { random: createPrng(7), persisted });
    assert.ok(raft.status().commit >= committed);
    raft.campaign();
    await drain(raft, store);
    for (let i = 0; i < 20; i++) assert.equal(raft.propose(Uint8Array.of(i)).type, 'appended');
    await drain(raft, store);
    const { applied } = raft.status();
    const snapshot = raft.describeSnapshot(applied, new Uint8Array(300).fill(incarnation));
    raft.compact(snapshot, { entriesKept: 5 });
    await store.saveSnapshot(snapshot, toIndex(raft.status().first - 1));
    committed = raft.status().commit;
  }
  const { snapshot, entries } = await restarted(disk);
  assert.deepEqual([snapshot.data[0], entries.length, snapshot.index], [4, 6, committed]);
});

async function drain(raft: Raft, store: RaftStore): Promise<void> {
  for (let ready = raft.ready(); ready !== undefined; ready = raft.ready()) {
    await store.persist(ready, { sync: ready.mustSync });
    raft.advance();
  }
}

for (const name of ['rocksdb', 'leveldb'] as const) {
  const skip = name === 'rocksdb' ? (whyRocksdbIsUnavailable() ?? false) : false;
  test(`RaftStore on ${name}: entries, a large snapshot and a restart`, { skip }, async () => {
    const location = await mkdtemp(join(tmpdir(), 'kvorum-raft-'));
    try {
      await runOnDisk(async () => {
        const deps = { clock: new SimClock(), random: createSimRandom(1) };
        return (await openEngine(name, { ...ENGINE_DEFAULTS, location }, deps)).engine;
      });
    } finally {
      await rm(location, { recursive: true, force: true });
    }
  });
}

async function runOnDisk(open: () => Promise<Engine>): Promise<void> {
  const hardState = { term: toTerm(1), vote: 1, commit: toIndex(3000) };
  const entries = Array.from({ length: 3000 }, (_, i) => command(1 + i, 1, 10));
  const first = await open();
  assert.deepEqual(await openRaftStore({ engine: first }).load(), { type: 'empty' });
  await first.write(createRaftOperations(emptyState()), { sync: true });
  const store = openRaftStore({ engine: first });
  await store.load();
  await store.persist({ snapshot: undefined, entries, hardState }, { sync: true });
  const snapshot = snapshotAt(2000, 1, 3 * 2 ** 20 + 5);
  await store.saveSnapshot(snapshot, toIndex(1500));
  await store.persist(
    { snapshot: undefined, entries: [command(3001, 1, 2)], hardState: undefined },
    { sync: true },
  );
  await first.close();
  const second = await open();
  const loaded = await openRaftStore({ engine: second }).load();
  assert.deepEqual(loaded, {
    type: 'intact',
    state: {
      hardState,
      snapshot,
      entries: [...entries.slice(1499), command(3001, 1, 2)],
      applied: snapshot.index,
    },
    cutEntries: 0,
  });
  await second.close();
}
