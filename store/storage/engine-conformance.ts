import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { compareBytes, successor } from '../core/bytes/bytes.ts';
import {
  type Engine,
  EngineClosedError,
  type EngineEntry,
  EngineFailedError,
  EngineLockedError,
  type EngineOperation,
  type EngineView,
  type KeyRange,
  type PageLimits,
} from './engine.ts';
import type { WriteGroup } from './group-commit.ts';
import { keyAt, openEntries, packEntries, valueAt } from './packed-entries.ts';

/** One place on a disk, and how to open an engine there. */
export type EngineFixture = {
  open(onCommit?: (group: WriteGroup) => void): Promise<Engine>;
  /** Makes the next write fail, where that can be done. */
  failNextWrite?(): void;
  destroy(): Promise<void>;
};

const SYNC = { sync: true } as const;
const NO_LIMITS: PageLimits = { entriesMax: 1_000_000, bytesMax: 2 ** 30 };
const EVERYTHING: KeyRange = { start: new Uint8Array(), end: new Uint8Array(64).fill(0xff) };
const LARGE_VALUE_BYTES = 8 * 2 ** 20;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = (key: string, value: string): EngineOperation => ({
  type: 'put',
  key: bytes(key),
  value: bytes(value),
});
const del = (key: string): EngineOperation => ({ type: 'delete', key: bytes(key) });

async function textAt(engine: Engine, key: string): Promise<string | undefined> {
  const value = await engine.get(bytes(key));
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

/** The suite that every engine passes (STYLE 25). */
export function describeEngine(name: string, createFixture: () => Promise<EngineFixture>): void {
  void describe(`${name} conforms to the engine port`, () => {
    describeLifetime(createFixture);
    describeData(createFixture);
    describeViews(createFixture);
  });
}

function describeData(createFixture: () => Promise<EngineFixture>): void {
  let fixture: EngineFixture;
  let engine: Engine;
  before(async () => {
    fixture = await createFixture();
    engine = await fixture.open();
  });
  after(async () => {
    await engine.close();
    await fixture.destroy();
  });

  void it('get and getMany return what was written, undefined where there is nothing', async () => {
    await engine.write([put('a', '1'), put('b', ''), put('c', '3'), del('c')], SYNC);
    assert.equal(await textAt(engine, 'a'), '1');
    assert.equal(await textAt(engine, 'b'), '');
    assert.equal(await textAt(engine, 'c'), undefined);
    const values = await engine.getMany([bytes('c'), bytes('b'), bytes('a'), bytes('a')]);
    assert.deepEqual(
      values.map((value) => value && new TextDecoder().decode(value)),
      [undefined, '', '1', '1'],
    );
    assert.deepEqual(await engine.getMany([]), []);
  });

  void it('what get returns belongs to the caller', async () => {
    await engine.write([put('own', 'mine')], SYNC);
    (await engine.get(bytes('own')))?.fill(0);
    assert.equal(await textAt(engine, 'own'), 'mine');
  });

  void it('the last operation on a key in a batch wins, and writes take effect in the order of the calls', async () => {
    await Promise.all([
      engine.write([put('k', '1'), del('k'), put('k', '2')], SYNC),
      engine.write([put('k', '3')], { sync: false }),
      engine.write([{ type: 'delete-range', start: bytes('k'), end: bytes('l') }], SYNC),
      engine.write([put('k', '4')], SYNC),
      engine.write([put('kk', '5')], SYNC),
    ]);
    assert.equal(await textAt(engine, 'k'), '4');
    assert.equal(await textAt(engine, 'kk'), '5');
  });

  void it('puts packed entries as if each were put, with what else is in their batch', async () => {
    const pairs = Array.from({ length: 300 }, (_, i) => [`p${i}`, 'v'.repeat(i)] as const);
    const entries = openEntries(
      packEntries(pairs.map(([key, value]) => ({ key: bytes(key), value: bytes(value) }))),
    );
    await engine.write(
      [put('p0', 'before'), put('px', '1'), { type: 'put-entries', entries }, del('p7')],
      SYNC,
    );
    const found = await engine.getMany([...pairs.map(([key]) => bytes(key)), bytes('px')]);
    assert.deepEqual(
      found.map((value) => value && new TextDecoder().decode(value)),
      [...pairs.map(([key, value]) => (key === 'p7' ? undefined : value)), '1'],
    );
    const nothing = { type: 'put-entries', entries: openEntries(new Uint8Array()) } as const;
    await assert.rejects(engine.write([nothing], SYNC), TypeError);
    await engine.write([{ type: 'delete-range', start: bytes('p'), end: bytes('q') }], SYNC);
  });

  void it('refuses batches that break the contract without failing', async () => {
    const range = { type: 'delete-range', start: bytes('a'), end: bytes('b') } as const;
    await assert.rejects(engine.write([], SYNC), TypeError);
    await assert.rejects(engine.write([put('', 'x')], SYNC), TypeError);
    await assert.rejects(engine.write([put('x', 'x'), range], SYNC), TypeError);
    await assert.rejects(engine.write([{ ...range, end: range.start }], SYNC), TypeError);
    await engine.write([put('fine', 'still')], SYNC);
  });

  void it('holds values of 8 MiB', async () => {
    const value = new Uint8Array(LARGE_VALUE_BYTES).map((_, i) => (i * 31) & 0xff);
    const keys = ['large-1', 'large-2', 'large-3'].map(bytes);
    await Promise.all(keys.map((key) => engine.write([{ type: 'put', key, value }], SYNC)));
    for (const found of await engine.getMany(keys))
      assert.equal(compareBytes(found ?? new Uint8Array(), value), 0);
    await engine.write(
      keys.map((key) => ({ type: 'delete', key })),
      SYNC,
    );
  });

  void it('delete-range takes its start and spares its end', async () => {
    await engine.write(
      ['ra', 'rb', 'rc', 'rd'].map((key) => put(key, 'x')),
      SYNC,
    );
    await engine.write([{ type: 'delete-range', start: bytes('rb'), end: bytes('rd') }], SYNC);
    const left = await engine.getMany(['ra', 'rb', 'rc', 'rd'].map(bytes));
    assert.deepEqual(
      left.map((value) => value !== undefined),
      [true, false, false, true],
    );
  });

  void it('freeBytes is a count of bytes, where there is one', async () => {
    const free = await engine.freeBytes();
    assert.ok(free === undefined || free > 0);
  });
}

function describeLifetime(createFixture: () => Promise<EngineFixture>): void {
  void it('keeps its data when it is closed and opened again', async () => {
    await withFixture(createFixture, async (fixture) => {
      const first = await fixture.open();
      await first.write([put('a', '1'), put('b', '2')], SYNC);
      await first.write([del('b')], SYNC);
      await first.close();
      const second = await fixture.open();
      assert.equal(await textAt(second, 'a'), '1');
      assert.equal(await textAt(second, 'b'), undefined);
      await second.close();
    });
  });

  void it('close waits for work under way', async () => {
    await withFixture(createFixture, async (fixture) => {
      const engine = await fixture.open();
      const work = Array.from({ length: 20 }, (_, i) => engine.write([put(`k${i}`, 'v')], SYNC));
      const read = engine.get(bytes('nothing'));
      const view = engine.openView({ reverse: false });
      const page = view.page(EVERYTHING, NO_LIMITS);
      const run = engine.readEntries(EVERYTHING, 2 ** 30);
      await engine.close();
      assert.equal((await run).last, undefined);
      assert.equal((await Promise.allSettled(work)).filter((w) => w.status === 'fulfilled').length, 20);
      assert.equal(await read, undefined);
      assert.equal((await page).done, true);
      const again = await fixture.open();
      assert.equal(await textAt(again, 'k19'), 'v');
      await again.close();
    });
  });

  void it('rejects what is called after close', async () => {
    await withFixture(createFixture, async (fixture) => {
      const engine = await fixture.open();
      const view = engine.openView({ reverse: false });
      await engine.close();
      await engine.close();
      await assert.rejects(engine.get(bytes('a')), EngineClosedError);
      await assert.rejects(engine.getMany([bytes('a')]), EngineClosedError);
      await assert.rejects(engine.write([put('a', 'b')], SYNC), EngineClosedError);
      await assert.rejects(view.page(EVERYTHING, NO_LIMITS), EngineClosedError);
      await assert.rejects(engine.readEntries(EVERYTHING, 1), EngineClosedError);
      assert.throws(() => engine.openView({ reverse: false }), EngineClosedError);
      await view.close();
    });
  });

  void it('a second open of the same place is refused as locked', async () => {
    await withFixture(createFixture, async (fixture) => {
      const engine = await fixture.open();
      await assert.rejects(fixture.open(), EngineLockedError);
      await engine.write([put('a', 'still works')], SYNC);
      await engine.close();
    });
  });

  void it('64 concurrent writers share far fewer commits than there are writes', async () => {
    await withFixture(createFixture, async (fixture) => {
      let commits = 0;
      const engine = await fixture.open(() => {
        commits += 1;
      });
      const writer = async (id: number): Promise<void> => {
        for (let i = 0; i < 10; i++) await engine.write([put(`w${id}-${i}`, 'v')], SYNC);
      };
      await Promise.all(Array.from({ length: 64 }, (_, id) => writer(id)));
      assert.ok(commits <= 64, `${commits} commits for 640 writes`);
      await engine.close();
    });
  });

  void it('one failed write ends all writes', async (context) => {
    await withFixture(createFixture, async (fixture) => {
      if (fixture.failNextWrite === undefined) return context.skip('this engine cannot be made to fail');
      const engine = await fixture.open();
      await engine.write([put('before', '1')], SYNC);
      fixture.failNextWrite();
      await assert.rejects(engine.write([put('during', '2')], SYNC), EngineFailedError);
      await assert.rejects(engine.write([put('after', '3')], SYNC), EngineFailedError);
      assert.equal(await textAt(engine, 'before'), '1');
      assert.equal(await textAt(engine, 'during'), undefined);
      await engine.close();
    });
  });
}

function describeViews(createFixture: () => Promise<EngineFixture>): void {
  let fixture: EngineFixture;
  let engine: Engine;
  before(async () => {
    fixture = await createFixture();
    engine = await fixture.open();
  });
  after(async () => {
    await engine.close();
    await fixture.destroy();
  });
  const clear = (): Promise<void> => engine.write([{ type: 'delete-range', ...EVERYTHING }], SYNC);

  void it('a view stays what it was while the engine is written to', async () => {
    await clear();
    await engine.write([put('a', '1'), put('b', '2'), put('c', '3')], SYNC);
    await using view = engine.openView({ reverse: false });
    await engine.write([put('a', 'new'), del('b'), put('d', '4')], SYNC);
    await engine.write([{ type: 'delete-range', start: bytes('c'), end: bytes('d') }], SYNC);
    const page = await view.page(EVERYTHING, NO_LIMITS);
    assert.deepEqual(page.entries.map(textOf), ['a=1', 'b=2', 'c=3']);
    await using later = engine.openView({ reverse: false });
    assert.deepEqual((await later.page(EVERYTHING, NO_LIMITS)).entries.map(textOf), ['a=new', 'd=4']);
  });

  void it('reads entries packed, run by run, as a sorted array has them', async () => {
    await clear();
    assert.deepEqual(await engine.readEntries(EVERYTHING, 1000), {
      packed: new Uint8Array(),
      last: undefined,
    });
    const entries = Array.from({ length: 2_000 }, (_, i) => ({
      key: bytes(`e${i}`),
      value: new Uint8Array((i * 37) % 900).fill(i),
    }));
    await engine.write(
      entries.map((entry) => ({ type: 'put', ...entry })),
      SYNC,
    );
    for (const [range, bytesMax] of [
      [EVERYTHING, 0],
      [EVERYTHING, 10_000],
      [EVERYTHING, 2 ** 30],
      [{ start: bytes('e3'), end: bytes('e4') }, 5_000],
      [{ start: bytes('e4'), end: bytes('e3') }, 5_000],
    ] as const) {
      const runs = await readRuns(engine, range, bytesMax);
      const dumb = dumbScan(entries, range, false);
      assert.deepEqual(runs.flat().map(hexOf), dumb.map(hexOf));
      for (const run of runs) {
        const sizes = run.map(({ key, value }) => key.length + value.length);
        const allButLast = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
        assert.ok(allButLast <= bytesMax, `${allButLast} bytes before the last of a run of ${bytesMax}`);
      }
    }
  });

  void it('many runs of entries at a time, and what else is read meanwhile, do not get mixed up', async () => {
    await clear();
    const names = Array.from({ length: 3_000 }, (_, i) => `m${String(i).padStart(4, '0')}`);
    await engine.write(
      names.map((name) => put(name, `value of ${name}`.repeat(20))),
      SYNC,
    );
    const runs = Array.from({ length: 6 }, (_, i) =>
      engine.readEntries({ start: bytes(`m${i * 4}`), end: bytes('n') }, 2 ** 30),
    );
    const values = names.slice(0, 50).map((name) => textAt(engine, name));
    for (const [i, value] of (await Promise.all(values)).entries())
      assert.equal(value, `value of ${names[i]}`.repeat(20));
    for (const [i, run] of (await Promise.all(runs)).entries())
      assert.equal(openEntries(run.packed).count, names.filter((name) => name >= `m${i * 4}`).length);
  });

  void it('bytesMax ends a page early, but never before its first entry', async () => {
    await clear();
    const value = 'x'.repeat(1_000);
    await engine.write(
      ['a', 'b', 'c', 'd'].map((key) => put(key, value)),
      SYNC,
    );
    await using view = engine.openView({ reverse: false });
    const pageOf = async (bytesMax: number): Promise<number> =>
      (await view.page(EVERYTHING, { entriesMax: 10, bytesMax })).entries.length;
    assert.deepEqual([await pageOf(0), await pageOf(1_500), await pageOf(1_000_000)], [1, 2, 4]);
  });

  void it('binary keys come in byte order, in pages of any size, both ways, as in a sorted array', async () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 4 });
    const entry = fc.record({ key, value: fc.uint8Array({ maxLength: 8 }) });
    const scenario = async (
      entries: EngineEntry[],
      a: Uint8Array,
      b: Uint8Array,
      size: number,
      isReverse: boolean,
    ): Promise<void> => {
      const [start, end] = compareBytes(a, b) <= 0 ? [a, b] : [b, a];
      await clear();
      if (entries.length > 0)
        await engine.write(
          entries.map((e) => ({ type: 'put', ...e })),
          SYNC,
        );
      await using view = engine.openView({ reverse: isReverse });
      for (const range of [{ start, end }, EVERYTHING]) {
        const found = await readAll(view, range, { entriesMax: size, bytesMax: 20 }, isReverse);
        assert.deepEqual(found.map(hexOf), dumbScan(entries, range, isReverse).map(hexOf));
      }
    };
    const property = fc.asyncProperty(
      fc.array(entry, { maxLength: 30 }),
      key,
      key,
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      scenario,
    );
    await fc.assert(property, { numRuns: 60 });
  });
}

async function withFixture(
  createFixture: () => Promise<EngineFixture>,
  use: (fixture: EngineFixture) => Promise<void>,
): Promise<void> {
  const fixture = await createFixture();
  try {
    await use(fixture);
  } finally {
    await fixture.destroy();
  }
}

/** All entries of `range`, page by page as the port describes it. */
async function readAll(
  view: EngineView,
  range: KeyRange,
  limits: PageLimits,
  isReverse: boolean,
): Promise<EngineEntry[]> {
  const found: EngineEntry[] = [];
  let rest = range;
  for (;;) {
    const page = await view.page(rest, limits);
    assert.ok(page.entries.length <= limits.entriesMax);
    found.push(...page.entries);
    const last = page.entries.at(-1);
    if (page.done) return found;
    assert.ok(last !== undefined, 'a page that is not the last has an entry');
    rest = isReverse ? { ...rest, end: last.key } : { ...rest, start: successor(last.key) };
  }
}

function dumbScan(entries: readonly EngineEntry[], range: KeyRange, isReverse: boolean): EngineEntry[] {
  const last = new Map(entries.map((entry) => [hexOf({ ...entry, value: new Uint8Array() }), entry]));
  const sorted = [...last.values()]
    .filter(({ key }) => compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) < 0)
    .sort((a, b) => compareBytes(a.key, b.key));
  return isReverse ? sorted.reverse() : sorted;
}

const hexOf = (entry: EngineEntry): string => `${[...entry.key]}=${[...entry.value]}`;
const textOf = (entry: EngineEntry): string =>
  `${new TextDecoder().decode(entry.key)}=${new TextDecoder().decode(entry.value)}`;

/** All entries of `range`, run by run as the port describes it. */
async function readRuns(engine: Engine, range: KeyRange, bytesMax: number): Promise<EngineEntry[][]> {
  const runs: EngineEntry[][] = [];
  for (let start = range.start; ; ) {
    const { packed, last } = await engine.readEntries({ start, end: range.end }, bytesMax);
    const entries = openEntries(packed);
    runs.push(
      Array.from({ length: entries.count }, (_, place) => ({
        key: keyAt(entries, place),
        value: valueAt(entries, place),
      })),
    );
    if (last === undefined) return runs;
    start = successor(last);
  }
}
