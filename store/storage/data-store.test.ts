import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partitionOf } from '../core/ring/slot.ts';
import { SimNode } from '../sim/sim-node.ts';
import { KvError } from './errors.ts';
import { dataKey } from './key-layout.ts';
import type { KvStore, ScanQuery } from './kv-store.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const textOf = (value: Uint8Array): string => Buffer.from(value).toString('latin1');
const hasCode = (code: string) => (error: unknown) => error instanceof KvError && error.code === code;

async function allPages(store: KvStore, query: ScanQuery): Promise<string[]> {
  const found: string[] = [];
  let after: Uint8Array | undefined;
  do {
    const page = await store.scan('default', { ...query, after });
    found.push(...page.entries.map(({ key, record }) => `${textOf(key)}=${textOf(record.value)}`));
    after = page.resumeAfter;
  } while (after !== undefined);
  return found;
}

async function streamed(store: KvStore, query: Omit<ScanQuery, 'limit'>): Promise<string[]> {
  const found: string[] = [];
  for await (const entries of store.scanAll('default', query)) {
    found.push(...entries.map(({ key, record }) => `${textOf(key)}=${textOf(record.value)}`));
  }
  return found;
}

const keyText = fc.stringMatching(/^[a-c\0\xff]{1,3}$/);
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key: keyText,
      value: fc.string({ maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('expiring' as const),
      key: keyText,
      ttlSeconds: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key: keyText }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('advance' as const), seconds: fc.integer({ min: 1, max: 15 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reap' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
);

type Modelled = { readonly value: string; readonly expiresAtMs: number };

test('the store behaves as a sorted map with expiry, through crashes, restarts and reaping', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      async (commands, limit, seed) => {
        const sim = await SimNode.start({ seed, settings: { 'expiry.intervalMs': 3_600_000 } });
        const model = new Map<string, Modelled>();
        for (const each of commands) await runCommand(sim, model, each);
        const live = [...model].filter(([, { expiresAtMs }]) => expiresAtMs > sim.clock.nowMs());
        const expected = live
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, { value }]) => `${key}=${value}`);
        assert.deepEqual(await allPages(sim.store, { limit }), expected);
        assert.deepEqual(await allPages(sim.store, { limit, reverse: true }), expected.toReversed());
        assert.deepEqual(await streamed(sim.store, {}), expected);
        const [start, end, prefix] = ['a\xff', 'c', 'b'];
        const within = (entry: string): boolean =>
          entry.split('=')[0]! >= start! && entry.split('=')[0]! < end!;
        assert.deepEqual(
          await allPages(sim.store, { limit, start: bytes(start!), end: bytes(end!) }),
          expected.filter(within),
        );
        assert.deepEqual(
          await allPages(sim.store, { limit, prefix: bytes(prefix!) }),
          expected.filter((entry) => entry.startsWith(prefix!)),
        );
        for (const [key, { value }] of live) {
          assert.equal(textOf((await sim.store.get('default', bytes(key)))?.value as Uint8Array), value);
        }
        assert.deepEqual(sim.backgroundErrors, []);
      },
    ),
    { numRuns: 150 },
  );
});

async function runCommand(
  sim: SimNode,
  model: Map<string, Modelled>,
  each: typeof command extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  switch (each.type) {
    case 'put':
      await sim.store.put('default', bytes(each.key), { value: bytes(each.value) });
      model.set(each.key, { value: each.value, expiresAtMs: Number.POSITIVE_INFINITY });
      return;
    case 'expiring':
      await sim.store.put('default', bytes(each.key), { value: bytes('x'), ttlSeconds: each.ttlSeconds });
      model.set(each.key, { value: 'x', expiresAtMs: sim.clock.nowMs() + each.ttlSeconds * 1000 });
      return;
    case 'delete':
      await sim.store.delete('default', bytes(each.key));
      model.delete(each.key);
      return;
    case 'advance':
      return sim.clock.advance(each.seconds * 1000);
    case 'reap':
      await sim.node.reap();
      return;
    case 'crash':
      return sim.crashAndStart();
    case 'restart':
      return sim.stopAndStart();
  }
}

test('a batch gives each operation its own outcome, in the order of its operations', async () => {
  const { store } = await SimNode.start();
  const outcomes = await store.batch('default', [
    { type: 'get', key: bytes('a') },
    { type: 'put', key: bytes('a'), value: bytes('1') },
    { type: 'get', key: bytes('a') },
    { type: 'put', key: bytes('b'), value: bytes('2'), ttlSeconds: 60, contentType: 'text/plain' },
    { type: 'delete', key: bytes('a') },
    { type: 'get', key: bytes('a') },
    { type: 'get', key: bytes('b') },
  ]);
  const seen = outcomes.map((outcome) =>
    outcome.type === 'get' ? (outcome.record ? textOf(outcome.record.value) : 'absent') : outcome.type,
  );
  assert.deepEqual(seen, ['absent', 'put', '1', 'put', 'delete', 'absent', '2']);
});

test('the reaper removes expired records and tombstones, at most so many a round', async () => {
  const sim = await SimNode.start({
    settings: { 'expiry.recordsPerRoundMax': 10, 'expiry.intervalMs': 3_600_000 },
  });
  for (let i = 0; i < 25; i++)
    await sim.store.put('default', bytes(`k${i}`), { value: bytes('v'), ttlSeconds: 1 });
  await sim.store.put('default', bytes('stays'), { value: bytes('v'), ttlSeconds: 3600 });
  const freeBefore = sim.disk.freeBytes();
  sim.clock.advance(2000);
  assert.equal(
    (await allPages(sim.store, { limit: 100 })).length,
    1,
    'expired is invisible before it is removed',
  );
  assert.equal(await sim.node.reap(), 10);
  assert.equal(await sim.node.reap(), 10);
  assert.equal(await sim.node.reap(), 5);
  assert.equal(sim.reaped, 25);
  assert.ok(sim.disk.freeBytes() > freeBefore + 25 * 30);
  await sim.store.delete('default', bytes('stays'));
  assert.equal(await sim.node.reap(), 1);
  assert.deepEqual(await allPages(sim.store, { limit: 100 }), []);
});

test('the reaper never removes a record that is written while it looks', async () => {
  const sim = await SimNode.start({ settings: { 'expiry.intervalMs': 3_600_000 } });
  await sim.store.put('default', bytes('k'), { value: bytes('old'), ttlSeconds: 1 });
  sim.clock.advance(2000);
  // One write is on its way when the round begins, another is issued during it.
  sim.disk.faults.syncDelayMs = 10;
  const before = sim.store.put('default', bytes('k'), { value: bytes('new'), ttlSeconds: 60 });
  const round = sim.node.reap();
  const during = settle().then(() => sim.store.put('default', bytes('k'), { value: bytes('newer') }));
  for (let i = 0; i < 20; i++) {
    await settle();
    sim.clock.advance(10);
  }
  await Promise.all([before, round, during]);
  assert.deepEqual(await allPages(sim.store, { limit: 10 }), ['k=newer']);
});

test('the reaper reports a damaged record and goes on with the others', async () => {
  const sim = await SimNode.start({ settings: { 'expiry.intervalMs': 3_600_000 } });
  for (const name of ['a', 'b', 'c'])
    await sim.store.put('default', bytes(name), { value: bytes('v'), ttlSeconds: 1 });
  await sim.store.put('default', bytes('d'), { value: bytes('v') });
  await sim.store.delete('default', bytes('d'));
  const namespaceId = sim.store.getNamespace('default')?.id as number;
  const key = bytes('a');
  assert.ok(sim.disk.corrupt(dataKey({ partition: partitionOf(key, 8), namespaceId, key })));
  sim.clock.advance(2000);
  await sim.node.reap();
  assert.equal(sim.reaped, 3);
  assert.ok(hasCode('RECORD_CORRUPT')(sim.backgroundErrors[0]));
  assert.equal(await sim.node.reap(), 0, 'it is reported once');
  await assert.rejects(sim.store.get('default', key), hasCode('RECORD_CORRUPT'));
});

test('the reaper comes back to a record that it could not read', async () => {
  const sim = await SimNode.start({ settings: { 'expiry.intervalMs': 3_600_000 } });
  for (const name of ['a', 'b', 'c'])
    await sim.store.put('default', bytes(name), { value: bytes('v'), ttlSeconds: 1 });
  sim.clock.advance(2000);
  const round = sim.node.reap();
  sim.disk.faults.failNextRead = true; // the view of the index is open: this is the read of a record
  await round;
  assert.equal(sim.reaped, 2);
  assert.equal(sim.backgroundErrors.length, 1);
  await sim.node.reap();
  assert.equal(sim.reaped, 3);
});

test('an expired record is not forgotten by the reaper when the clock is set back while it looks', async () => {
  const sim = await SimNode.start({ settings: { 'expiry.intervalMs': 3_600_000 } });
  await sim.store.put('default', bytes('k'), { value: bytes('v'), ttlSeconds: 10 });
  sim.clock.advance(11_000);
  const round = sim.node.reap();
  sim.clock.setWall(sim.clock.nowMs() - 5_000);
  await round;
  sim.clock.advance(20_000);
  await sim.node.reap();
  assert.equal(sim.reaped, 1);
});

test('namespaces are apart, survive a restart, and their ids are never reused', async () => {
  const sim = await SimNode.start();
  const { namespace, created } = await sim.store.createNamespace('other');
  assert.equal(created, true);
  assert.equal((await sim.store.createNamespace('other')).created, false);
  await sim.store.put('other', bytes('k'), { value: bytes('1') });
  assert.equal(await sim.store.get('default', bytes('k')), undefined);
  await assert.rejects(
    sim.store.put('nowhere', bytes('k'), { value: bytes('1') }),
    hasCode('NAMESPACE_NOT_FOUND'),
  );
  await assert.rejects(sim.store.deleteNamespace('other', undefined), hasCode('NAMESPACE_NOT_EMPTY'));
  await assert.rejects(sim.store.deleteNamespace('default', 'default'), hasCode('NAMESPACE_PROTECTED'));
  await sim.crashAndStart();
  assert.deepEqual(sim.store.getNamespace('other'), namespace);
  await sim.store.deleteNamespace('other', 'other');
  await sim.crashAndStart();
  const again = await sim.store.createNamespace('other');
  assert.ok(again.namespace.id > namespace.id);
  assert.equal(await sim.store.get('other', bytes('k')), undefined);
});

test('a namespace that was being dropped when the power failed is gone with its data after the restart', async () => {
  for (let syncs = 0; syncs < 6; syncs++) {
    const sim = await SimNode.start();
    await sim.store.createNamespace('other');
    for (let i = 0; i < 20; i++) await sim.store.put('other', bytes(`k${i}`), { value: Buffer.alloc(1000) });
    const free = sim.disk.freeBytes();
    sim.disk.faults.syncDelayMs = 10;
    const dropping = sim.store.deleteNamespace('other', 'other').catch(() => {});
    for (let i = 0; i < syncs; i++) {
      await settle();
      sim.clock.advance(10);
    }
    await settle();
    sim.disk.faults.syncDelayMs = 0;
    await sim.crashAndStart();
    await dropping;
    if (sim.store.getNamespace('other') === undefined)
      assert.ok(sim.disk.freeBytes() > free + 20_000, `after ${syncs} syncs`);
    else
      assert.equal(
        (await sim.store.scan('other', { limit: 100 })).entries.length,
        20,
        `after ${syncs} syncs`,
      );
  }
});

test('two creations of one namespace at once make one', async () => {
  const { store } = await SimNode.start();
  const [a, b] = await Promise.all([store.createNamespace('x'), store.createNamespace('x')]);
  assert.deepEqual(a.namespace, b.namespace);
  assert.deepEqual([a.created, b.created], [true, false]);
});

test('a page of a scan ends at its limits of bytes and of records looked at, and goes on from there', async () => {
  const sim = await SimNode.start({
    settings: {
      'limits.scanPageBytesMax': 5000,
      'limits.scanExaminedMax': 10,
      'expiry.intervalMs': 3_600_000,
    },
  });
  for (let i = 0; i < 30; i++)
    await sim.store.put('default', bytes(`k${String(i).padStart(2, '0')}`), { value: Buffer.alloc(1000) });
  assert.equal((await sim.store.scan('default', { limit: 100 })).entries.length, 5);
  for (let i = 0; i < 25; i++) await sim.store.delete('default', bytes(`k${String(i).padStart(2, '0')}`));
  const first = await sim.store.scan('default', { limit: 100 });
  assert.equal(first.entries.length, 0, 'ten tombstones were looked at');
  assert.ok(first.resumeAfter);
  assert.equal((await allPages(sim.store, { limit: 100 })).length, 5);
});

test('large values are streamed in order without being held all at once', async () => {
  const sim = await SimNode.start();
  const expected: string[] = [];
  for (let i = 0; i < 40; i++) {
    const value = Buffer.alloc(i % 3 === 0 ? 40_000 : 10, 65 + (i % 26));
    await sim.store.put('default', bytes(`k${String(i).padStart(2, '0')}`), { value });
    expected.push(`k${String(i).padStart(2, '0')}=${value.toString('latin1')}`);
  }
  assert.deepEqual(await streamed(sim.store, {}), expected);
  assert.deepEqual(await streamed(sim.store, { reverse: true }), expected.toReversed());
});

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
