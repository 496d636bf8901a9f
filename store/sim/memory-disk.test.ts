import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EngineFailedError, type EngineOperation } from '../storage/engine.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryEngine } from './memory-engine.ts';
import { SimClock } from './sim-clock.ts';
import { createSimRandom } from './sim-random.ts';

const SYNC = { sync: true } as const;
const key = (id: number): Uint8Array => Uint8Array.of(1, id);
const put = (id: number): EngineOperation[] => [{ type: 'put', key: key(id), value: Uint8Array.of(id) }];

function createWorld(seed = 1, capacityBytes = 1_000) {
  const clock = new SimClock();
  const disk = new MemoryDisk({ capacityBytes }, { clock, random: createSimRandom(seed) });
  const open = (): MemoryEngine => new MemoryEngine({ groupBytesMax: 1_000 }, { disk });
  return { clock, disk, open };
}

test('MemoryDisk: a crash keeps what was synced and a beginning of what was not', async () => {
  const scenario = async (seed: number, syncedCount: number, unsyncedCount: number): Promise<void> => {
    const { disk, open } = createWorld(seed);
    const engine = open();
    for (let i = 0; i < syncedCount; i++) await engine.write(put(i), SYNC);
    for (let i = 0; i < unsyncedCount; i++) await engine.write(put(syncedCount + i), { sync: false });
    disk.crash();
    await assert.rejects(engine.write(put(99), SYNC), EngineFailedError);
    const total = syncedCount + unsyncedCount;
    const found = await open().getMany(Array.from({ length: total }, (_, i) => key(i)));
    const kept = found.indexOf(undefined);
    assert.ok(kept === -1 || kept >= syncedCount);
    if (kept >= 0) assert.ok(found.slice(kept).every((value) => value === undefined));
  };
  const count = fc.integer({ min: 0, max: 10 });
  await fc.assert(fc.asyncProperty(fc.nat(), count, count, scenario));
});

test('MemoryDisk: what waits for a slow fsync is not visible, and a crash rejects it', async () => {
  const { clock, disk, open } = createWorld();
  disk.faults.syncDelayMs = 50;
  const engine = open();
  const slow = engine.write(put(1), SYNC);
  await engine.getMany([]);
  clock.advance(49);
  assert.equal(await engine.get(key(1)), undefined);
  clock.advance(1);
  await slow;
  assert.deepEqual(await engine.get(key(1)), Uint8Array.of(1));
  const lost = assert.rejects(engine.write(put(2), SYNC), EngineFailedError);
  await engine.getMany([]);
  disk.crash();
  await lost;
});

for (const fault of ['failNextWrite', 'failNextSync', 'isFull'] as const)
  test(`MemoryDisk: ${fault} ends the writes of an engine, not its reads, and the next engine works`, async () => {
    const { disk, open } = createWorld();
    const engine = open();
    await engine.write(put(1), SYNC);
    disk.faults[fault] = true;
    await assert.rejects(engine.write(put(2), SYNC), EngineFailedError);
    await assert.rejects(engine.write(put(3), SYNC), EngineFailedError);
    assert.deepEqual(await engine.get(key(1)), Uint8Array.of(1));
    await engine.close();
    disk.faults.isFull = false;
    const next = open();
    await next.write(put(4), SYNC);
    assert.equal(await next.get(key(3)), undefined);
  });

test('MemoryDisk: a failed read is an error once', async () => {
  const { disk, open } = createWorld();
  const engine = open();
  await engine.write(put(1), SYNC);
  disk.faults.failNextRead = true;
  await assert.rejects(engine.get(key(1)), /EIO/);
  assert.deepEqual(await engine.get(key(1)), Uint8Array.of(1));
});

test('MemoryDisk: free bytes follow puts, overwrites and deletes', async () => {
  const { open } = createWorld(1, 100);
  const engine = open();
  await engine.write([...put(1), ...put(2), ...put(2)], SYNC);
  assert.equal(await engine.freeBytes(), 94);
  await engine.write([{ type: 'delete', key: key(1) }], SYNC);
  await engine.write([{ type: 'delete-range', start: key(0), end: key(9) }], SYNC);
  assert.equal(await engine.freeBytes(), 100);
});

test('MemoryDisk: corrupt changes one bit of a value, before and after a restart', async () => {
  const { disk, open } = createWorld();
  const engine = open();
  await engine.write(put(7), SYNC);
  assert.equal(disk.corrupt(key(8)), false);
  assert.equal(disk.corrupt(key(7)), true);
  const damaged = await engine.get(key(7));
  assert.notDeepEqual(damaged, Uint8Array.of(7));
  await engine.close();
  assert.deepEqual(await open().get(key(7)), damaged);
});

test('MemoryDisk: a copy is what was synced, and comes back as it was; another disk is empty', async () => {
  const { disk, open } = createWorld();
  const first = open();
  await first.write(put(1), SYNC);
  await first.write(put(2), { sync: false });
  const copy = disk.copy();
  await first.write(put(3), SYNC);
  assert.throws(() => disk.replace(copy), /in use/);
  await first.close();
  const keys = (): number[] => [...disk.contents(key(0), key(9))].map((entry) => entry.key[1] as number);
  assert.deepEqual(keys(), [1, 2, 3]);
  disk.replace(copy);
  assert.deepEqual(keys(), [1]);
  disk.replace(undefined);
  assert.deepEqual(keys(), []);
});

test('MemoryDisk: the time of each fsync may be drawn', async () => {
  const { clock, disk, open } = createWorld();
  disk.faults.drawSyncDelayMs = () => 7;
  const engine = open();
  const write = engine.write(put(1), SYNC);
  await engine.getMany([]);
  clock.advance(6);
  assert.equal(await engine.get(key(1)), undefined);
  clock.advance(1);
  await write;
  assert.deepEqual(await engine.get(key(1)), Uint8Array.of(1));
});
