import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TopologyNamespace } from '../core/topology/types.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryEngine } from '../sim/memory-engine.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { SimNode } from '../sim/sim-node.ts';
import { createSimRandom } from '../sim/sim-random.ts';
import { KvError } from './errors.ts';
import { createMetaStore } from './meta-store.ts';
import { openNamespaces } from './namespaces.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const hasCode = (code: string) => (error: unknown) => error instanceof KvError && error.code === code;

test('a deletion that waited does not hit a new namespace of the same name', async () => {
  const { store } = await SimNode.start();
  await store.createNamespace('x');
  const late = store.deleteNamespace('x', undefined); // looks whether it is empty
  const first = store.deleteNamespace('x', 'x');
  const again = store.createNamespace('x');
  await assert.rejects(late, hasCode('NAMESPACE_NOT_FOUND'));
  await first;
  const { namespace } = await again;
  assert.deepEqual(store.getNamespace('x'), namespace);
});

test('an unconfirmed deletion never takes a write with it that was answered while it looked', async () => {
  const sim = await SimNode.start();
  await sim.store.createNamespace('x');
  for (let turns = 0; turns < 60; turns++) {
    const deletion = sim.store.deleteNamespace('x', undefined).then(
      () => 'deleted',
      (error: KvError) => error.code,
    );
    for (let i = 0; i < turns; i++) await Promise.resolve();
    const put = sim.store.put('x', bytes('k'), { value: bytes('v') }).then(
      () => 'put',
      (error: KvError) => error.code,
    );
    const outcome = `${await deletion}, ${await put}`;
    assert.ok(['NAMESPACE_NOT_EMPTY, put', 'deleted, NAMESPACE_NOT_FOUND'].includes(outcome), outcome);
    if (outcome.startsWith('deleted')) await sim.store.createNamespace('x');
    else await sim.store.delete('x', bytes('k'));
  }
});

test('a batch writes nothing into a namespace that is dropped while it runs', async () => {
  const sim = await SimNode.start();
  await sim.store.createNamespace('x');
  // The first write waits for the bound of versions.
  await sim.store.put('default', bytes('k'), { value: bytes('v') });
  const free = sim.disk.freeBytes();
  const batch = sim.store.batch('x', [
    { type: 'put', key: bytes('k'), value: Buffer.alloc(1000) },
    { type: 'get', key: bytes('k') },
    { type: 'put', key: bytes('k'), value: Buffer.alloc(1000) },
  ]);
  await sim.store.deleteNamespace('x', 'x');
  const outcomes = await batch;
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.type === 'error' ? (outcome.error as KvError).code : outcome.type)),
    ['put', 'NAMESPACE_NOT_FOUND', 'NAMESPACE_NOT_FOUND'],
  );
  assert.ok(sim.disk.freeBytes() > free - 900, 'no value of 1,000 bytes is left behind');
});

test('there are at most so many namespaces, also when they are created at once', async () => {
  const sim = await SimNode.start({ settings: { 'limits.namespacesMax': 3 } });
  const created = await Promise.allSettled(['a', 'b', 'c'].map((name) => sim.store.createNamespace(name)));
  assert.deepEqual(
    created.map((each) => (each.status === 'rejected' ? each.reason.code : 'created')),
    ['created', 'created', 'NAMESPACE_LIMIT'],
  );
  assert.equal((await sim.store.createNamespace('a')).created, false, 'one that exists needs no room');
  await sim.store.deleteNamespace('a', undefined);
  assert.equal((await sim.store.createNamespace('c')).created, true);
});

test('S7: a crash right after a write to a new namespace keeps both, however slow the disk is at the next start', async () => {
  for (const syncDelayMs of [0, 1, 20]) {
    const sim = await SimNode.start();
    await sim.store.createNamespace('x');
    await sim.store.put('x', bytes('k'), { value: bytes('v') });
    sim.crash();
    sim.disk.faults.syncDelayMs = syncDelayMs;
    let isUp = false;
    const starting = sim.start().finally(() => {
      isUp = true;
    });
    for (let turn = 0; !isUp; turn++) {
      await Promise.resolve();
      if (turn % 20 === 19) sim.clock.advance(1);
    }
    await starting;
    sim.disk.faults.syncDelayMs = 0;
    sim.clock.advance(20);
    await sim.node.settled();
    const record = await sim.store.get('x', bytes('k'));
    assert.deepEqual(Buffer.from(record?.value ?? []).toString(), 'v', `fsync takes ${syncDelayMs} ms`);
  }
});

test('an id is unknown until the namespace is noted here, and dropped from the turn in which it is withdrawn', async () => {
  const clock = new SimClock();
  const disk = new MemoryDisk({ capacityBytes: 1 << 20 }, { clock, random: createSimRandom(1) });
  const engine = new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk });
  const all = new Map<string, TopologyNamespace>();
  let tell = (): void => {};
  let served = 0;
  const deleted: number[] = [];
  const namespaces = await openNamespaces(
    { partitions: 4, namespacesMax: 9 },
    {
      engine,
      meta: createMetaStore(engine),
      topology: {
        namespaces: () => new Map(all),
        nextId: () => 2,
        create: () => Promise.resolve(),
        drop: () => Promise.resolve(),
        onChange(listener) {
          tell = listener;
          return () => {};
        },
      },
      onServed: () => {
        served += 1;
      },
      deleteData: async (id) => {
        deleted.push(id);
      },
      onError: assert.fail,
    },
  );
  all.set('x', { name: 'x', id: 1, consistency: 'quorum', createdAtMs: 0 });
  tell();
  assert.deepEqual([namespaces.stateOf(1), namespaces.stateOf(2), served], ['unknown', 'unknown', 0]);
  await namespaces.settled();
  assert.deepEqual([namespaces.stateOf(1), served], ['served', 1]);
  all.clear();
  tell();
  assert.deepEqual([namespaces.stateOf(1), served], ['dropped', 2]);
  await namespaces.settled();
  assert.deepEqual(deleted, [1]);
});

test('a namespace whose deletion takes long holds up neither the start, nor another namespace', async () => {
  const clock = new SimClock();
  const disk = new MemoryDisk({ capacityBytes: 1 << 20 }, { clock, random: createSimRandom(1) });
  const engine = new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk });
  const meta = createMetaStore(engine);
  await meta.write('namespaces-held', { ids: [1] });
  const all = new Map<string, TopologyNamespace>();
  let tell = (): void => {};
  const deletion = Promise.withResolvers<void>();
  const namespaces = await openNamespaces(
    { partitions: 4, namespacesMax: 9 },
    {
      engine,
      meta,
      topology: {
        namespaces: () => new Map(all),
        nextId: () => 3,
        async create(name) {
          all.set(name, { name, id: 2, consistency: 'quorum', createdAtMs: 0 });
          tell();
        },
        drop: () => Promise.resolve(),
        onChange(listener) {
          tell = listener;
          return () => {};
        },
      },
      deleteData: () => deletion.promise,
      onError: assert.fail,
    },
  );
  await namespaces.create('x');
  assert.deepEqual([namespaces.stateOf(1), namespaces.stateOf(2)], ['dropped', 'served']);
  assert.deepEqual(
    await meta.read('namespaces-held'),
    { ids: [1, 2] },
    'the next start deletes it where this one does not',
  );
  deletion.resolve();
  await namespaces.settled();
  assert.deepEqual(await meta.read('namespaces-held'), { ids: [2] });
});
