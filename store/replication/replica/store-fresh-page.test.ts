import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Move, toEpoch, toMoveSession } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import { openPage, packRecords } from '../../peer/bulk-page.ts';
import { createSimRandom } from '../../sim/sim-random.ts';
import { dataKey } from '../../storage/key-layout.ts';
import { encodeRecord } from '../../storage/record.ts';
import type { PageStored } from './page-admission.ts';
import { SELF, START_MS, TestReplica, versionOf } from './test-replica.ts';

const V = START_MS - 20_000;
const OTHERS = [2, 3, 4];
const SESSION = toMoveSession(6);
const JOINT: Move = { session: SESSION, to: [SELF, 2, 3], stage: 'joint', entered: [] };
const TRANSFER: Move = {
  ...{ session: SESSION, to: [SELF, 2, 3], stage: 'transfer' },
  ...{ confirmed: [], sources: [], synced: [] },
};
const PROMISES = { floor: versionOf(V + 5), watermark: versionOf(V + 5) };
const AT = { partition: 0, epoch: toEpoch(6) };
const STORED = { type: 'stored', damaged: [] };

/** A member that has entered partition 0 under epoch 6, in which nothing is. */
async function filling(seed = 1, versionCacheEntriesMax = 0): Promise<TestReplica> {
  const t = await TestReplica.open({ versionCacheEntriesMax }, seed);
  const still = { replicas: [SELF, 2, 3], epoch: toEpoch(5) };
  t.topology.become(5, [{ replicas: OTHERS, epoch: toEpoch(5) }, still]);
  t.topology.become(6, [{ replicas: OTHERS, epoch: toEpoch(6), move: JOINT }, still]);
  await settle();
  await t.until(t.replica.enter(0, SESSION, PROMISES), settle);
  await t.trees(settle);
  return t;
}

type Given = readonly [key: string, wallMs: number, value?: string, expiresAtMs?: number];

function storePage(t: TestReplica, records: readonly Given[]): Promise<PageStored> {
  const packed = records.map(([name, wallMs, value, expiresAtMs]) => {
    const key = Buffer.from(name);
    const record = encodeRecord(dataKey({ partition: 0, namespaceId: 1, key }), {
      ...{ version: versionOf(wallMs), isTombstone: value === undefined },
      ...{ expiresAtMs, contentType: undefined, value: Buffer.from(value ?? '') },
    });
    return { namespaceId: 1, key, record };
  });
  return t.replica.storePage(AT, openPage(packRecords(AT.partition, packed), AT.partition));
}

const rootOf = (t: TestReplica) => t.owned().tree?.root();

test('pages into an empty partition, in their order, are not looked up; what comes out of order is', async () => {
  const t = await filling();
  t.disk.faults.failNextRead = true;
  assert.deepEqual(await storePage(t, [['b', V + 20, 'x']]), STORED);
  assert.deepEqual(
    await storePage(t, [
      ['c', V + 20, 'x'],
      ['d', V + 20],
    ]),
    STORED,
  );
  assert.equal(t.disk.faults.failNextRead, true);
  assert.deepEqual(
    await storePage(t, [
      ['a', V + 20, 'x'],
      ['b', V + 10, 'older'],
    ]),
    STORED,
  );
  assert.equal(t.disk.faults.failNextRead, false);
  assert.deepEqual([...t.stored().keys()], ['a', 'b', 'c', 'd']);
  assert.equal(await t.read('b'), `seen ${V + 20}`);
  assert.deepEqual(rootOf(t), t.treeOfDisk(0).root());
});

test('after a restart, or a write of a client, each key is looked up', async () => {
  const t = await filling();
  await storePage(t, [['a', V + 20, 'x']]);
  await t.store('c', { wallMs: V + 30, value: 'newer' });
  assert.deepEqual(
    await storePage(t, [
      ['b', V + 20, 'x'],
      ['c', V + 20, 'older'],
    ]),
    STORED,
  );
  assert.equal(await t.read('c'), `seen ${V + 30}`);
  await t.crash();
  await t.trees(settle);
  assert.deepEqual(
    await storePage(t, [
      ['c', V + 25, 'older'],
      ['e', V + 20, 'x'],
    ]),
    STORED,
  );
  assert.equal(await t.read('c'), `seen ${V + 30}`);
});

test('a page is not seen before it is durable, and what is written meanwhile is compared with it', async () => {
  const t = await filling();
  t.disk.faults.syncDelayMs = 100;
  const storing = storePage(t, [
    ['a', V + 20, 'x'],
    ['b', V + 20, 'x'],
    ['c', V + 20, 'x'],
  ]);
  await settle();
  assert.equal(await t.until(t.ask('a'), settle), 'asked nothing');
  const [older, newer] = [
    t.store('b', { wallMs: V + 10, value: 'o' }),
    t.store('c', { wallMs: V + 30, value: 'n' }),
  ];
  assert.deepEqual(await t.until(storing, settle), STORED);
  assert.equal(await t.until(older, settle), `held ${V + 20}`);
  assert.equal(await t.until(newer, settle), `held ${V + 30}`);
  assert.equal(await t.ask('a'), `asked ${V + 20}`);
  assert.equal(t.stored().get('b')?.text, 'x');
  assert.equal(t.stored().get('c')?.text, 'n');
  assert.deepEqual(rootOf(t), t.treeOfDisk(0).root());
});

test('what is under way with a page is in flight for whoever compares leaves, and older than an epoch that is confirmed', async () => {
  const t = await filling();
  t.disk.faults.syncDelayMs = 100;
  const storing = storePage(t, [['a', V + 20, 'x']]);
  await settle();
  const leaves = [...Array(16).keys()];
  assert.equal(leaves.filter((leaf) => t.owned().isInFlight(leaf)).length, 1);
  t.topology.become(7, [
    { replicas: OTHERS, epoch: toEpoch(7), move: TRANSFER },
    { replicas: [SELF, 2, 3], epoch: toEpoch(5) },
  ]);
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), false);
  await t.until(storing, settle);
  await t.until(t.replica.settled(), settle);
  assert.equal(leaves.filter((leaf) => t.owned().isInFlight(leaf)).length, 0);
  assert.equal(t.replica.mayConfirm(0, toEpoch(7)), true);
});

test('a tree whose building begins as a page is visible, and not yet known to be durable, counts it once', async () => {
  const t = await filling();
  const publish = t.disk.publish.bind(t.disk);
  t.disk.publish = (mount) => {
    publish(mount);
    t.disk.publish = publish;
    t.owned().rebuildTree();
  };
  await t.until(
    storePage(t, [
      ['a', V + 20, 'x'],
      ['b', V + 20, 'x'],
    ]),
    settle,
  );
  await t.trees(settle);
  assert.equal(t.owned().tree?.entryCount, 2);
  assert.deepEqual(rootOf(t), t.treeOfDisk(0).root());
});

test('entries of the indexes come with a page', async () => {
  const t = await filling();
  await storePage(t, [
    ['a', V + 20],
    ['b', V + 20, 'x', START_MS + 5],
  ]);
  const [tombstones, expiries] = [0x04, 0x03].map(
    (family) => [...t.disk.contents(Uint8Array.of(family), Uint8Array.of(family + 1))].length,
  );
  assert.deepEqual([tombstones, expiries], [1, 1]);
});

test('a page whose write fails is not stored, and neither is what waits for a key of it', async () => {
  const t = await filling();
  t.disk.faults.syncDelayMs = 100;
  const storing = storePage(t, [['a', V + 20, 'x']]);
  await settle();
  const waiting = t.store('a', { wallMs: V + 20, value: 'x' });
  t.disk.faults.failNextSync = true;
  const stored = await t.until(storing, settle);
  assert.equal(stored.type === 'refused' && stored.code, 'STORAGE_FAILED');
  assert.equal(await t.until(waiting, settle), 'refused STORAGE_FAILED');
});

/** Pages in their order or not, clients that write and ask, trees that are built again: the newest of each key, and a tree of it. */
async function runAtRandom(seed: number): Promise<void> {
  const random = createSimRandom(seed);
  const below = (n: number): number => Math.floor(random.unit() * n);
  const t = await filling(seed, below(3));
  const newest = new Map<string, number>();
  const offer = (key: string, wallMs: number): number => {
    newest.set(key, Math.max(newest.get(key) ?? 0, wallMs));
    return wallMs;
  };
  const keyOf = (i: number): string => `a${String(i).padStart(2, '0')}`;
  const work: Promise<unknown>[] = [];
  const clientsUntil = below(3) === 0 ? 0 : 12;
  for (let [step, from] = [0, 0]; step < 12; step++) {
    t.disk.faults.syncDelayMs = below(2) * below(50);
    if (below(8) === 0) from = below(20);
    const page = Array.from({ length: below(6) }, () => keyOf(from++)).filter(() => below(4) > 0);
    work.push(
      storePage(
        t,
        page.map((key) => [key, offer(key, V + 10 + below(30)), 'x']),
      ),
    );
    for (let i = below(3); i > 0 && step < clientsUntil; i--) {
      const key = keyOf(below(40));
      work.push(
        below(2) === 0 ? t.ask(key) : t.store(key, { wallMs: offer(key, V + 10 + below(30)), value: 'x' }),
      );
    }
    if (below(6) === 0) t.owned().rebuildTree();
    if (below(3) === 0) await t.until(Promise.all(work), settle);
    else await settle();
  }
  await t.until(Promise.all(work), settle);
  await t.trees(settle);
  const found = new Map(Array.from(t.stored(), ([key, { version }]) => [key, version.wallMs]));
  assert.deepEqual(new Map([...found].sort()), new Map([...newest].sort()), `seed ${seed}`);
  assert.deepEqual(rootOf(t), t.treeOfDisk(0).root(), `seed ${seed}`);
  for (const [key, wallMs] of newest) assert.equal(await t.ask(key), `asked ${wallMs}`, `seed ${seed}`);
}

test('pages and clients at random leave the newest of each key, and an exact tree', async () => {
  for (let seed = 1; seed <= 300; seed++) await runAtRandom(seed);
});
