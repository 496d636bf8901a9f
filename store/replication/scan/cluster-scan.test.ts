import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MemberId } from '../../core/raft/types.ts';
import { partitionOf } from '../../core/ring/slot.ts';
import { settle } from '../../io/settle.ts';
import type { ScanEntry, ScanQuery, ScanRange } from '../../storage/kv-store.ts';
import type { StoredRecord } from '../../storage/record.ts';
import type { ClusterScanRequest } from './cluster-scan.ts';
import { bytes, NAMESPACE, PARTITIONS, record, ScanWorld, textOf } from './test-world.ts';

const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
/** Sets of three, one after the other around the circle of members. */
const circle = (members: number): MemberId[][] =>
  partitions.map((partition) => [0, 1, 2].map((i) => 1 + ((partition + i) % members)));
const shown = ({ key, record: { value } }: ScanEntry): string => `${textOf(key)}=${textOf(value)}`;

async function allPages(
  world: ScanWorld,
  query: ScanQuery,
  {
    request = {},
    between = async (_after: Uint8Array | undefined) => {},
  }: { request?: ClusterScanRequest; between?: (after: Uint8Array | undefined) => Promise<void> } = {},
): Promise<ScanEntry[]> {
  const found: ScanEntry[] = [];
  let after: Uint8Array | undefined;
  do {
    const page = await world.answer(world.scan.scanPage(NAMESPACE, { ...query, after }, request));
    found.push(...page.entries);
    after = page.resumeAfter;
    await between(after);
  } while (after !== undefined);
  return found;
}

/** All replicas hold the same. */
async function storeAll(world: ScanWorld, key: string, stored: StoredRecord): Promise<void> {
  for (const member of world.setOf(partitionOf(bytes(key), PARTITIONS)))
    await world.store(member, key, stored);
}

const keyText = fc.stringMatching(/^[a-c\0\xff]{1,3}$/);
/** What replicas hold of one key: the acknowledged record, and how each of the three differs from it. */
const planted = fc.record({
  key: keyText,
  kind: fc.constantFrom('live', 'live', 'live', 'tombstone', 'expired', 'unacknowledged' as const),
  /** The replica that may drift; of an unacknowledged write the only one that has it. */
  drifting: fc.nat(2),
  drift: fc.constantFrom('none', 'none', 'older', 'missing', 'newer' as const),
});
type Planted = typeof planted extends fc.Arbitrary<infer T> ? T : never;

type Expected = { readonly acked: string | undefined; readonly newer: string | undefined };

async function plant(world: ScanWorld, { key, kind, drifting, drift }: Planted): Promise<Expected> {
  const set = world.setOf(partitionOf(bytes(key), PARTITIONS));
  const odd = set[drifting % set.length] as MemberId;
  const nowMs = world.clock.nowMs();
  if (kind === 'unacknowledged') {
    await world.store(odd, key, record(5, 'maybe'));
    return { acked: undefined, newer: `${key}=maybe` };
  }
  const acked =
    kind === 'expired' ? record(20, 'gone', nowMs - 1) : record(20, kind === 'live' ? 'held' : undefined);
  for (const member of set) if (member !== odd || drift === 'none') await world.store(member, key, acked);
  if (drift === 'older') await world.store(odd, key, record(10, 'old'));
  if (drift === 'newer') await world.store(odd, key, record(30, 'newer'));
  return {
    acked: kind === 'live' ? `${key}=held` : undefined,
    newer: drift === 'newer' ? `${key}=newer` : undefined,
  };
}

/** Every acknowledged key once, in order; a write that was not acknowledged may be seen, and then stays. */
function check(
  found: readonly ScanEntry[],
  expected: ReadonlyMap<string, Expected>,
  isReverse: boolean,
): void {
  const keys = found.map(({ key }) => textOf(key));
  const sorted = [...new Set(keys)].sort();
  assert.deepEqual(keys, isReverse ? sorted.reverse() : sorted);
  const values = new Map(found.map((entry) => [textOf(entry.key), shown(entry)]));
  for (const [key, { acked, newer }] of expected)
    assert.ok(
      [acked, newer].includes(values.get(key)) || (values.get(key) === undefined && acked === undefined),
      key,
    );
  for (const key of keys) assert.ok(expected.has(key), `${key} was never written`);
}

test('every acknowledged key appears once and in order: drift, deletes, expiry, a member down, sets that move between pages', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(planted, { maxLength: 40, selector: ({ key }) => key }),
      fc.record({
        members: fc.integer({ min: 3, max: 6 }),
        limit: fc.integer({ min: 1, max: 12 }),
        reverse: fc.boolean(),
        down: fc.integer({ min: 0, max: 6 }),
        moves: fc.boolean(),
        entriesMax: fc.integer({ min: 1, max: 20 }),
        scanExaminedMax: fc.integer({ min: 1, max: 50 }),
      }),
      async (keys, { members, limit, reverse, down, moves, entriesMax, scanExaminedMax }) => {
        const world = new ScanWorld(settle, members, circle(members), { scanExaminedMax });
        world.localLimits = { ...world.localLimits, entriesMax };
        const expected = new Map<string, Expected>();
        for (const each of keys) expected.set(each.key, await plant(world, each));
        // Without member 0 nobody is down; the scanning member itself is not.
        if (down > 1 && down <= members) world.down.add(down);
        let moved = 0;
        const between = async (after: Uint8Array | undefined): Promise<void> => {
          if (!moves || after === undefined) return;
          const partition = moved++ % PARTITIONS;
          const others = [...world.engines.keys()].filter((member) => !world.down.has(member));
          const first = moved % others.length;
          const next = [...others.slice(first), ...others.slice(0, first)].slice(0, 3);
          if (next.length < 3) return;
          await world.move(partition, next, [...expected.keys()]);
          // A write under the new set alone, ahead of the scan, which must not miss it by asking the old one.
          const isAhead = (key: string): boolean => (reverse ? key < textOf(after) : key > textOf(after));
          const ahead = [...expected.keys()].find(
            (key) => isAhead(key) && partitionOf(bytes(key), PARTITIONS) === partition,
          );
          if (ahead === undefined) return;
          for (const member of next.slice(1)) await world.store(member, ahead, record(40, 'moved'));
          expected.set(ahead, { acked: `${ahead}=moved`, newer: undefined });
        };
        const found = await allPages(world, { limit, reverse }, { between });
        check(found, expected, reverse);
        // Other replicas answer now: what was seen of a write on one replica alone must have been written back.
        world.down.clear();
        world.down.add(2 + ((down + 1) % (members - 1)));
        const again = await allPages(world, { limit: 100, reverse });
        check(again, expected, reverse);
        // What was seen once is seen again: reads never go back.
        const later = new Map(again.map((entry) => [textOf(entry.key), shown(entry)]));
        for (const entry of found) {
          const value = later.get(textOf(entry.key));
          assert.ok(value === shown(entry) || value === expected.get(textOf(entry.key))?.newer, shown(entry));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('bounds, prefix, keys only and the stream are those of a single node', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(keyText, { maxLength: 30 }),
      fc.record(
        { start: keyText, end: keyText, prefix: fc.constantFrom('a', 'b\xff', '\xff') },
        { requiredKeys: [] },
      ),
      fc.record({ reverse: fc.boolean(), keysOnly: fc.boolean(), limit: fc.integer({ min: 1, max: 9 }) }),
      async (keys, bounds, { reverse, keysOnly, limit }) => {
        const world = new ScanWorld(settle, 4, circle(4));
        for (const key of keys) await storeAll(world, key, record(7, `value of ${key}`));
        const isIn = (key: string): boolean =>
          key >= (bounds.start ?? '') &&
          (bounds.end === undefined || key < bounds.end) &&
          key.startsWith(bounds.prefix ?? '');
        const inOrder = keys.filter(isIn).sort();
        const expected = (reverse ? inOrder.reverse() : inOrder).map(
          (key) => `${key}=${keysOnly ? '' : `value of ${key}`}`,
        );
        const part = (text: string | undefined) => (text === undefined ? undefined : bytes(text));
        const range: ScanRange = {
          ...{ start: part(bounds.start), end: part(bounds.end), prefix: part(bounds.prefix) },
          ...{ reverse, keysOnly },
        };
        const paged = await allPages(world, { ...range, limit });
        assert.deepEqual(paged.map(shown), expected);
        assert.ok(paged.every((entry) => entry.record.contentType === 'text/x'));
        const streamed: string[] = [];
        const stream = async (): Promise<void> => {
          for await (const page of world.scan.scanAll(NAMESPACE, range)) streamed.push(...page.map(shown));
        };
        await world.answer(stream());
        assert.deepEqual(streamed, expected);
        assert.equal(world.quorumReads, 0, 'replicas that agree need no reads');
      },
    ),
    { numRuns: 60 },
  );
});

test('values come from one replica only, from this member where it has them; the others send versions', async () => {
  const world = new ScanWorld(settle, 3, circle(3));
  for (let i = 0; i < 20; i++) await storeAll(world, `key-${i}`, record(1, 'v'));
  await allPages(world, { limit: 100 });
  assert.deepEqual(world.asked.map(({ to }) => to).sort(), [1, 2], 'two of three are a quorum');
  for (const { to, request } of world.asked) {
    assert.equal(request.partitions.length, PARTITIONS);
    assert.ok(request.partitions.every(({ isFull }) => isFull === (to === 1)));
  }
});

test('r=1 asks one replica of each partition, r=all asks all', async () => {
  const world = new ScanWorld(settle, 3, circle(3));
  await storeAll(world, 'a', record(1, 'v'));
  const found = await allPages(world, { limit: 10 }, { request: { level: 1 } });
  assert.deepEqual(found.map(shown), ['a=v']);
  assert.deepEqual(
    world.asked.map(({ to }) => to),
    [1],
  );
  world.asked.length = 0;
  await allPages(world, { limit: 10 }, { request: { level: 'all' } });
  assert.deepEqual(world.asked.map(({ to }) => to).sort(), [1, 2, 3]);
});

test('a damaged record is read from the others, also where only its replica was asked', async () => {
  const world = new ScanWorld(settle, 3, circle(3));
  await storeAll(world, 'a', record(1, 'v'));
  assert.ok(world.corrupt(1, 'a'));
  assert.deepEqual((await allPages(world, { limit: 10 })).map(shown), ['a=v']);
  assert.equal(world.quorumReads, 1);
  assert.ok(world.corrupt(1, 'a'));
  assert.deepEqual((await allPages(world, { limit: 10 }, { request: { level: 1 } })).map(shown), ['a=v']);
});

test('keys that differ are read within the time of the page', async () => {
  const world = new ScanWorld(settle, 3, circle(3));
  for (let i = 0; i < 20; i++) {
    await storeAll(world, `key-${i}`, record(1, 'v'));
    world.corrupt(1, `key-${i}`);
  }
  const endMs = world.clock.monotonicMs() + 700;
  await allPages(world, { limit: 100 }, { request: { timeoutMs: 700 } });
  assert.ok(world.quorumReads > 8);
  assert.deepEqual(new Set(world.readDeadlinesMs), new Set([endMs]));
});

test('a member that hangs is given up in time to ask another; without a quorum the scan says who said what', async () => {
  const world = new ScanWorld(settle, 3, circle(3), { timeoutMs: 1000 });
  await storeAll(world, 'a', record(1, 'v'));
  world.hung.add(2);
  const startMs = world.clock.monotonicMs();
  assert.deepEqual((await allPages(world, { limit: 10 })).map(shown), ['a=v']);
  assert.ok(world.clock.monotonicMs() - startMs < 400);
  world.hung.add(3);
  await assert.rejects(allPages(world, { limit: 10 }), /no quorum.*m-[23]: unreachable TIMEOUT/);
  const endMs = world.clock.monotonicMs();
  await assert.rejects(allPages(world, { limit: 10 }, { request: { timeoutMs: 100 } }), /no quorum/);
  assert.ok(world.clock.monotonicMs() - endMs < 200);
});

test('a record that expires while the page is on its way is shown: later it may have been written anew, unseen', async () => {
  const world = new ScanWorld(settle, 3, circle(3), { timeoutMs: 1000 });
  world.hung.add(2);
  const startMs = world.clock.monotonicMs();
  await storeAll(world, 'a', record(1, 'v', world.clock.nowMs() + 10));
  assert.deepEqual((await allPages(world, { limit: 10 })).map(shown), ['a=v']);
  assert.ok(world.clock.monotonicMs() - startMs > 10);
  assert.deepEqual((await allPages(world, { limit: 10 })).map(shown), []);
});

test('a page ends at its bytes, and holds little more than that on the way', async () => {
  const world = new ScanWorld(settle, 3, circle(3), { scanPageBytesMax: 10_000 });
  world.localLimits = { ...world.localLimits, bytesMax: 4000 };
  for (let i = 0; i < 40; i++) await storeAll(world, `key-${i}`, record(1, 'x'.repeat(1000)));
  const page = await world.answer(world.scan.scanPage(NAMESPACE, { limit: 100 }));
  assert.equal(page.entries.length, 10);
  assert.ok(page.resumeAfter);
  const all = await allPages(world, { limit: 100 });
  assert.equal(all.length, 40);
});
