import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { settle } from '../../io/settle.ts';
import type { StoreOrigin } from '../../peer/replica-messages.ts';
import { partitionOfTest, START_MS, type TestRecord, TestReplica, versionOf } from './test-replica.ts';

/** Versions of the histories lie just below the highest floor that is allowed, so that floors meet them. */
const BASE = START_MS - 9600;
const RANGE = 24;

const key = fc.constantFrom('a', 'b', 'c', 'y', 'z');
const wallMs = fc.integer({ min: BASE, max: BASE + RANGE });
const origin = fc.constantFrom<StoreOrigin>('write', 'write-back', 'repair', 'hint', 'exchange');
const expiresAtMs = fc.option(fc.integer({ min: BASE, max: BASE + RANGE + 5 }), { nil: undefined });
const record = fc.oneof(
  { weight: 3, arbitrary: fc.record({ wallMs, value: fc.constant<string | undefined>('v'), expiresAtMs }) },
  { weight: 1, arbitrary: fc.record({ wallMs, value: fc.constant<string | undefined>(undefined) }) },
);
const partition = fc.constantFrom(0, 1);
const store = fc.record({
  type: fc.constant('store' as const),
  key,
  record,
  origin,
  source: fc.option(wallMs, { nil: undefined }),
});
const others = [
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('ask' as const, 'read' as const), key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('floor' as const), partition, wallMs }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('watermark' as const), partition, wallMs }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('collect' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rebuild' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('crash' as const, 'restart' as const) }) },
];
const command = fc.oneof({ weight: 10, arbitrary: store }, ...others);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

type Modelled = {
  readonly wallMs: number;
  readonly isTombstone: boolean;
  readonly expiresAtMs: number | undefined;
};

/** The dumb replica: one map, two numbers for each partition, nothing asynchronous. */
class Model {
  readonly held = new Map<string, Modelled>();
  readonly floors = [0, 0];
  readonly watermarks = [0, 0];

  store(at: string, offered: TestRecord, by: StoreOrigin, source: number | undefined): string {
    const held = this.held.get(at);
    const number = partitionOfTest(at);
    const watermark = this.watermarks[number] as number;
    if (held !== undefined && offered.wallMs <= held.wallMs) return `held ${held.wallMs}`;
    if (by === 'write' || by === 'hint') {
      if (offered.wallMs <= (this.floors[number] as number)) return 'refused BELOW_FLOOR';
    } else if (offered.wallMs <= watermark) {
      const isCovered = source !== undefined && source >= watermark && by !== 'repair';
      const isWanted = held !== undefined || !isCollectable(modelled(offered), watermark);
      if (!isCovered || !isWanted) return 'refused BELOW_WATERMARK';
    }
    this.held.set(at, modelled(offered));
    return `held ${offered.wallMs}`;
  }

  raise(number: number, floor: number, watermark: number): void {
    this.watermarks[number] = Math.max(this.watermarks[number] as number, watermark);
    this.floors[number] = Math.max(this.floors[number] as number, floor, watermark);
  }

  collect(number: number): void {
    for (const [at, held] of this.held) {
      const own = partitionOfTest(at);
      const isDue = isCollectable(held, this.watermarks[own] as number);
      // Tombstones of the partition; what expired, of all.
      if (isDue && (own === number || !held.isTombstone)) this.held.delete(at);
    }
  }
}

function modelled({ wallMs: at, value, expiresAtMs: expiry }: TestRecord): Modelled {
  return { wallMs: at, isTombstone: value === undefined, expiresAtMs: expiry };
}

function isCollectable(held: Modelled, watermark: number): boolean {
  const isOver = held.isTombstone || (held.expiresAtMs !== undefined && held.expiresAtMs <= watermark);
  return held.wallMs <= watermark && isOver;
}

async function assertTreesAreOfTheDisk(t: TestReplica): Promise<void> {
  await t.trees(settle);
  for (const number of [0, 1]) {
    assert.deepEqual(t.owned(number).tree?.leafWords(), t.treeOfDisk(number).leafWords());
    assert.equal(t.owned(number).tree?.entryCount, t.treeOfDisk(number).entryCount);
  }
}

test('one after another, requests are answered as by the dumb replica, through crashes and restarts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 60 }),
      fc.integer({ min: 0, max: 4 }),
      fc.nat(),
      async (commands, versionCacheEntriesMax, seed) => {
        const t = await TestReplica.open({ versionCacheEntriesMax }, seed);
        const model = new Model();
        for (const each of commands) await runBoth(t, model, each);
        await assertTreesAreOfTheDisk(t);
        const stored = [...t.stored()].map(([at, { version, isTombstone, expiresAtMs: expiry }]) => [
          at,
          { wallMs: version.wallMs, isTombstone, expiresAtMs: expiry },
        ]);
        assert.deepEqual(new Map(stored as [string, Modelled][]), model.held);
      },
    ),
    { numRuns: 300 },
  );
});

async function runBoth(t: TestReplica, model: Model, each: Command): Promise<void> {
  switch (each.type) {
    case 'store': {
      const { source } = each;
      const said = await t.store(
        each.key,
        each.record,
        each.origin,
        source === undefined ? undefined : versionOf(source),
      );
      return assert.equal(said, model.store(each.key, each.record, each.origin, source));
    }
    case 'ask':
      return assert.equal(await t.ask(each.key), `asked ${model.held.get(each.key)?.wallMs ?? 'nothing'}`);
    case 'read':
      return assert.equal(await t.read(each.key), `seen ${model.held.get(each.key)?.wallMs ?? 'nothing'}`);
    case 'floor':
      model.raise(each.partition, Math.min(each.wallMs, START_MS - 9500), 0);
      return await t.owned(each.partition).raiseFloor(versionOf(Math.min(each.wallMs, START_MS - 9500)));
    case 'watermark':
      model.raise(each.partition, 0, each.wallMs);
      return await t.owned(each.partition).raiseWatermark(versionOf(each.wallMs));
    case 'collect':
      model.collect(each.partition);
      await t.owned(each.partition).collect(100);
      return;
    case 'rebuild':
      return t.owned(each.partition).rebuildTree();
    case 'crash':
      return await t.crash();
    case 'restart':
      return await t.restart();
  }
}

/** What was promised to whoever asked: it may only grow, but for what may be collected. */
class Promises {
  readonly #held = new Map<string, number>();
  /** Asked for, confirmed or not: below it a collection may have taken what was held. */
  readonly watermarks = [0, 0];
  readonly floors = [0, 0];

  note(at: string, said: string): void {
    const version = Number(/^(?:held|asked|seen) (\d+)$/.exec(said)?.[1] ?? 0);
    this.#held.set(at, Math.max(this.#held.get(at) ?? 0, version));
  }

  of(at: string): number {
    return this.#held.get(at) ?? 0;
  }

  check(at: string, version: number, promised: number): void {
    if (version >= promised) return;
    const isCollected = version === 0 && promised <= (this.watermarks[partitionOfTest(at)] as number);
    assert.ok(isCollected, `${at} is at ${version}, and ${promised} was promised`);
  }
}

test('at once, in any interleaving: what was said stays true, through crashes too, and trees are those of the data', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(command, fc.integer({ min: 0, max: 5 })), { maxLength: 60 }),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(),
      async (commands, versionCacheEntriesMax, syncDelayMs, seed) => {
        const t = await TestReplica.open({ versionCacheEntriesMax }, seed);
        const promises = new Promises();
        let life = { isOver: false };
        const running: Promise<void>[] = [];
        const failures: unknown[] = [];
        const finish = async (): Promise<void> => {
          await t.until(Promise.all(running.splice(0)), settle);
          assert.deepEqual(failures, []);
          t.disk.faults.syncDelayMs = 0;
        };
        for (const [each, turns] of commands) {
          if (each.type === 'crash' || each.type === 'restart') {
            if (each.type === 'restart') await finish();
            t.disk.faults.syncDelayMs = 0;
            life.isOver = true;
            await (each.type === 'crash' ? t.crash() : t.restart());
            life = { isOver: false };
            checkDisk(t, promises);
          } else {
            t.disk.faults.syncDelayMs = syncDelayMs;
            const mine = life;
            running.push(
              start(t, promises, each, mine).catch((error: unknown) => {
                if (!mine.isOver) failures.push(error);
              }),
            );
          }
          for (let i = 0; i < turns; i++) await Promise.resolve();
          if (turns === 4) await settle();
          if (turns === 5) t.clock.advance(1);
        }
        await finish();
        checkDisk(t, promises);
        await assertTreesAreOfTheDisk(t);
      },
    ),
    { numRuns: 400 },
  );
});

function checkDisk(t: TestReplica, promises: Promises): void {
  const stored = t.stored();
  for (const at of ['a', 'b', 'c', 'y', 'z'])
    promises.check(at, stored.get(at)?.version.wallMs ?? 0, promises.of(at));
  for (const number of [0, 1]) assert.ok(t.owned(number).floor.wallMs >= (promises.floors[number] as number));
}

/** What a life says counts while it lasts: an answer that its process had no time to send is none. */
async function start(
  t: TestReplica,
  promises: Promises,
  each: Command,
  life: { isOver: boolean },
): Promise<void> {
  switch (each.type) {
    case 'store': {
      const promised = promises.floors[partitionOfTest(each.key)] as number;
      const said = await t.store(each.key, each.record, each.origin);
      if (life.isOver) return;
      const isNew = said === `held ${each.record.wallMs}` && promises.of(each.key) < each.record.wallMs;
      const isClients = each.origin === 'write' || each.origin === 'hint';
      if (isNew && isClients && each.record.wallMs <= promised)
        assert.equal(
          t.stored().get(each.key)?.version.wallMs,
          each.record.wallMs,
          'it was held before the floor',
        );
      promises.note(each.key, said);
      return;
    }
    case 'ask':
    case 'read': {
      const promised = promises.of(each.key);
      const said = await (each.type === 'ask' ? t.ask(each.key) : t.read(each.key));
      if (life.isOver || said.startsWith('refused')) return;
      promises.check(each.key, Number(/(\d+)$/.exec(said)?.[1] ?? 0), promised);
      promises.note(each.key, said);
      return;
    }
    case 'floor': {
      const floor = Math.min(each.wallMs, START_MS - 9500);
      await t.owned(each.partition).raiseFloor(versionOf(floor));
      if (!life.isOver)
        promises.floors[each.partition] = Math.max(promises.floors[each.partition] as number, floor);
      return;
    }
    case 'watermark':
      promises.watermarks[each.partition] = Math.max(
        promises.watermarks[each.partition] as number,
        each.wallMs,
      );
      return await t.owned(each.partition).raiseWatermark(versionOf(each.wallMs));
    case 'collect':
      await t.owned(each.partition).collect(100);
      return;
    case 'rebuild':
      return t.owned(each.partition).rebuildTree();
    case 'crash':
    case 'restart':
      throw new Error('not while others run');
  }
}
