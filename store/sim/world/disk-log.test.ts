import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapState } from '../../core/raft/bootstrap.ts';
import { configurationOf } from '../../core/raft/configuration.ts';
import { type Entry, toIndex, toTerm } from '../../core/raft/types.ts';
import { putMeta } from '../../storage/meta-store.ts';
import { createRaftOperations } from '../../storage/raft-store/raft-operations.ts';
import { openRaftStore } from '../../storage/raft-store/raft-store.ts';
import { MemoryDisk } from '../memory-disk.ts';
import { MemoryEngine } from '../memory-engine.ts';
import { SimClock } from '../sim-clock.ts';
import { createSimRandom } from '../sim-random.ts';
import { DiskLog } from './disk-log.ts';
import { watchEngine } from './watched-engine.ts';

const command = (index: number, term: number): Entry => ({
  type: 'command',
  index: toIndex(index),
  term: toTerm(term),
  data: Uint8Array.of(index, term),
});

async function createWatchedStore() {
  const disk = new MemoryDisk(
    { capacityBytes: 1 << 20 },
    { clock: new SimClock(), random: createSimRandom(1) },
  );
  const log = new DiskLog();
  const engine = watchEngine(new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk }), log, () => {});
  const first = createRaftOperations(bootstrapState(configurationOf([1, 2, 3])));
  const identity = putMeta('identity', { clusterId: 'c', member: 1, incarnation: 1 });
  await engine.write([identity, ...first], { sync: true });
  const store = openRaftStore({ engine });
  await store.load();
  return { disk, log, store };
}

test('DiskLog follows what the Raft store writes, and reads the same from the disk', async () => {
  const { disk, log, store } = await createWatchedStore();
  const hardState = { term: toTerm(2), vote: 3, commit: toIndex(2) };
  const work = { snapshot: undefined, hardState };
  await store.persist({ ...work, entries: [command(2, 1), command(3, 1), command(4, 1)] }, { sync: true });
  await store.persist({ ...work, entries: [command(3, 2)] }, { sync: true });
  const data = Uint8Array.of(1, 2, 3);
  const configuration = configurationOf([1, 2, 3]);
  await store.saveSnapshot({ index: toIndex(2), term: toTerm(1), configuration, data }, toIndex(2));
  for (const each of [log, DiskLog.of(disk.contents(Uint8Array.of(0), Uint8Array.of(2)))]) {
    assert.deepEqual([...each.entries.values()], [command(2, 1), command(3, 2)]);
    assert.deepEqual(each.hardState, hardState);
    assert.deepEqual(each.identity, { clusterId: 'c', member: 1, incarnation: 1 });
    assert.deepEqual(each.configuration(), configuration);
    assert.deepEqual(each.durable, { hardState, last: 3 });
    assert.deepEqual(new Uint8Array(each.snapshotData() ?? []), data);
  }
});

test('DiskLog: what is not synced is written and not durable; what replaces it is not either', async () => {
  const { log, store } = await createWatchedStore();
  const hardState = { term: toTerm(1), vote: undefined, commit: toIndex(1) };
  await store.persist({ snapshot: undefined, hardState, entries: [command(2, 1)] }, { sync: true });
  await store.persist({ snapshot: undefined, hardState, entries: [command(2, 2)] }, { sync: false });
  assert.equal(log.last, 2);
  assert.equal(log.durable.last, 1);
});
