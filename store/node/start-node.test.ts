import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryEngine } from '../sim/memory-engine.ts';
import { SimNode } from '../sim/sim-node.ts';
import { KvError } from '../storage/errors.ts';
import { putMeta } from '../storage/meta-store.ts';

const key = (text: string): Uint8Array => Buffer.from(text);
const value = key;
const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();
const hasCode = (code: string) => (error: unknown) => error instanceof KvError && error.code === code;

test('identity and incarnation: the same node in its next life', async () => {
  const sim = await SimNode.start();
  const first = identityOf(sim);
  await sim.crashAndStart();
  assert.deepEqual(identityOf(sim), { ...first, incarnation: 2 });
});

function identityOf(sim: SimNode) {
  const { clusterId, node } = sim.node.cluster.status();
  return { clusterId, member: node.member, incarnation: node.incarnation };
}

test('versions only grow, also when the clock is set back by an hour and the node restarts', async () => {
  const sim = await SimNode.start();
  let last = '';
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 20; i++) {
      const { version } = await sim.store.put('default', key('k'), { value: value('v') });
      const order = `${String(version.wallMs).padStart(16, '0')}-${String(version.counter).padStart(6, '0')}`;
      assert.ok(order > last, `${order} after ${last}`);
      last = order;
      sim.clock.advance(50);
    }
    sim.clock.setWall(sim.clock.nowMs() - 3_600_000);
    await sim.crashAndStart();
  }
});

test('S2: after a failed fsync nothing is served, and the node says so once', async () => {
  const sim = await SimNode.start();
  await sim.store.put('default', key('a'), { value: value('1') });
  sim.disk.faults.failNextSync = true;
  await assert.rejects(sim.store.put('default', key('b'), { value: value('2') }), hasCode('STORAGE_FAILED'));
  await assert.rejects(sim.store.put('default', key('c'), { value: value('3') }), hasCode('STORAGE_FAILED'));
  await assert.rejects(sim.store.get('default', key('a')), hasCode('STORAGE_FAILED'));
  await assert.rejects(sim.store.scan('default', { limit: 10 }), hasCode('STORAGE_FAILED'));
  assert.equal(sim.failures.length, 1);
  assert.equal(sim.node.storage().state, 'failed');
  assert.equal(sim.node.readiness()[0]?.ok, false);
  await sim.crashAndStart();
  assert.equal(textOf((await sim.store.get('default', key('a')))?.value), '1');
});

test('writes go on when an fsync takes longer than the bound of versions is ahead', async () => {
  const sim = await SimNode.start({ settings: { 'clock.aheadMs': 400, 'expiry.intervalMs': 3_600_000 } });
  sim.clock.advance(1000);
  sim.disk.faults.syncDelayMs = 700;
  let written = 0;
  const writing = (async () => {
    for (; written < 5; written++) await sim.store.put('default', key(`k${written}`), { value: value('v') });
  })();
  for (let i = 0; i < 300; i++) {
    await settle();
    sim.clock.advance(50);
  }
  assert.equal(written, 5);
  await writing;
  sim.disk.faults.syncDelayMs = 0;
  sim.clock.advance(1000);
  await sim.store.put('default', key('k'), { value: value('v') });
  const { version } = await sim.store.put('default', key('k'), { value: value('v') });
  assert.equal(version.wallMs, sim.clock.nowMs(), 'stamps follow the clock again');
});

test('a clock at the end of its range is an error, not a loop', async () => {
  const sim = await SimNode.start();
  sim.clock.setWall(2 ** 48);
  await assert.rejects(sim.store.put('default', key('k'), { value: value('v') }), /no version is left/);
  await assert.rejects(sim.stopAndStart(), /no version is left/);
});

for (const [what, act] of Object.entries({
  'the creation of a namespace': (sim: SimNode) => sim.store.createNamespace('x'),
  'the deletion of a namespace': (sim: SimNode) => sim.store.deleteNamespace('other', 'other'),
  'a batch': (sim: SimNode) =>
    sim.store
      .batch('default', [{ type: 'delete', key: key('a') }])
      .then(([outcome]) => Promise.reject(outcome?.type === 'error' ? outcome.error : outcome)),
}))
  test(`S2: ${what} that meets a failed fsync stops the node`, async () => {
    const sim = await SimNode.start();
    await sim.store.createNamespace('other');
    sim.disk.faults.failNextSync = true;
    await assert.rejects(act(sim), hasCode('STORAGE_FAILED'));
    await assertStopped(sim);
  });

test('S2: a failed fsync of the reaper stops the node, reads too', async () => {
  const sim = await SimNode.start();
  await sim.store.delete('default', key('a'));
  sim.disk.faults.failNextSync = true;
  await assert.rejects(sim.node.reap());
  await assertStopped(sim);
});

async function assertStopped(sim: SimNode): Promise<void> {
  assert.equal(sim.failures.length, 1);
  assert.equal(sim.node.storage().state, 'failed');
  await assert.rejects(sim.store.get('default', key('a')), hasCode('STORAGE_FAILED'));
  await assert.rejects(sim.store.scan('default', { limit: 10 }), hasCode('STORAGE_FAILED'));
  await assert.rejects(sim.store.put('default', key('a'), { value: value('1') }), hasCode('STORAGE_FAILED'));
  assert.equal(sim.failures.length, 1);
}

test('a full disk refuses puts, serves reads and deletes, and recovers by itself', async () => {
  const sim = await SimNode.start({ capacityBytes: 300_000, settings: { 'storage.reserveBytes': 100_000 } });
  const large = Buffer.alloc(10_000, 1);
  let written = 0;
  const fill = async (): Promise<void> => {
    for (;;) {
      await sim.store.put('default', key(`k${written}`), { value: large });
      written += 1;
      sim.clock.advance(600);
      await settle();
    }
  };
  await assert.rejects(fill(), hasCode('STORAGE_FULL'));
  assert.ok(written > 5);
  assert.equal(sim.node.storage().state, 'full');
  assert.equal((await sim.store.get('default', key('k0')))?.value.length, 10_000);
  for (let i = 0; i < 4; i++) await sim.store.delete('default', key(`k${i}`));
  await sim.node.reap();
  sim.clock.advance(600);
  await settle();
  assert.equal(sim.node.storage().state, 'ok');
  await sim.store.put('default', key('again'), { value: large });
});

test('a record that fails its checksum is an error that names the key, for get, batch and scan', async () => {
  const sim = await SimNode.start();
  await sim.store.put('default', key('good'), { value: value('1') });
  await sim.store.put('default', key('bad'), { value: value('2') });
  const stored = await storedKeysOf(sim);
  assert.ok(sim.disk.corrupt(stored.find((each) => each.includes('bad')) as Uint8Array));
  const namesIt = (error: unknown): boolean =>
    error instanceof KvError &&
    error.code === 'RECORD_CORRUPT' &&
    error.data.keyBase64 === Buffer.from('bad').toString('base64');
  await assert.rejects(sim.store.get('default', key('bad')), namesIt);
  await assert.rejects(sim.store.scan('default', { limit: 10 }), namesIt);
  const [good, bad] = await sim.store.batch('default', [
    { type: 'get', key: key('good') },
    { type: 'get', key: key('bad') },
  ]);
  assert.equal(good?.type === 'get' && textOf(good.record?.value), '1');
  assert.ok(bad?.type === 'error' && namesIt(bad.error));
  await sim.store.put('default', key('bad'), { value: value('3') });
  assert.equal(textOf((await sim.store.get('default', key('bad')))?.value), '3', 'a new write heals it');
});

test('a directory of a newer format is refused with what to do', async () => {
  const sim = await SimNode.start();
  await sim.node.stop();
  const engine = new MemoryEngine({ groupBytesMax: 1000 }, { disk: sim.disk });
  await engine.write([putMeta('format', { format: 2, partitions: 8 })], { sync: true });
  await engine.close();
  await assert.rejects(sim.start(), /written by a newer Kvorum: it has storage format 2/);
});

test('a value above the backlog limit is written when nothing else waits', async () => {
  const sim = await SimNode.start({ settings: { 'storage.writeBacklogBytesMax': 1 << 20 } });
  await sim.store.put('default', key('a'), { value: Buffer.alloc(2 << 20) });
});

test('writes above the backlog limit are refused before memory grows', async () => {
  const sim = await SimNode.start({ settings: { 'storage.writeBacklogBytesMax': 1 << 20 } });
  // The first write waits for the bound of versions as well.
  await sim.store.put('default', key('c'), { value: value('v') });
  sim.disk.faults.syncDelayMs = 100;
  const half = Buffer.alloc(600_000);
  const first = sim.store.put('default', key('a'), { value: half });
  await settle();
  await assert.rejects(sim.store.put('default', key('b'), { value: half }), hasCode('OVERLOADED'));
  sim.clock.advance(100);
  await first;
  sim.disk.faults.syncDelayMs = 0;
  await sim.store.put('default', key('b'), { value: half });
});

/** The keys under which the engine keeps records. */
async function storedKeysOf(sim: SimNode): Promise<Buffer[]> {
  const mount = sim.disk as unknown as { read?: unknown };
  assert.ok(mount.read);
  const { dataKey } = await import('../storage/key-layout.ts');
  const { partitionOf } = await import('../core/ring/slot.ts');
  const namespaceId = sim.store.getNamespace('default')?.id as number;
  return ['good', 'bad'].map((text) =>
    Buffer.from(dataKey({ partition: partitionOf(key(text), 8), namespaceId, key: key(text) })),
  );
}

/** Lets what is ready run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
