import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareBytes } from '../../core/bytes/bytes.ts';
import { formatVersion, type Version } from '../../core/version/version.ts';
import { dataKey, dataRange } from '../../storage/key-layout.ts';
import { putMeta } from '../../storage/meta-store.ts';
import { encodeRecord } from '../../storage/record.ts';
import { PartitionFacts } from './partition-facts.ts';
import {
  type Contents,
  findDifference,
  partitionRange,
  readContents,
  requireProvenBelow,
} from './replica-contents.ts';
import { Violation } from './violation.ts';

const breaks = (check: string) => (error: unknown) => error instanceof Violation && error.check === check;
const version = (wallMs: number): Version => ({ wallMs, counter: 0, member: 1 });

type Record = {
  readonly key: string;
  readonly at: number;
  readonly value?: string;
  readonly expiresAtMs?: number;
};

/** Without a value a tombstone. */
function replica(who: string, watermark: number, ...records: readonly Record[]): Contents {
  const entries = records.map(({ key, at, value, expiresAtMs }) => {
    const stored = dataKey({ partition: 3, namespaceId: 1, key: Buffer.from(key) });
    const isTombstone = value === undefined;
    const rest = { expiresAtMs, contentType: undefined, value: Buffer.from(value ?? '') };
    return { key: stored, value: encodeRecord(stored, { version: version(at), isTombstone, ...rest }) };
  });
  return readContents(who, version(watermark), entries);
}

test('partitionRange holds all namespaces of its partition and nothing else', () => {
  for (const partition of [0, 3, 255, 4095]) {
    const { start, end } = partitionRange(partition);
    for (const namespaceId of [1, 0xffff_fffe]) {
      const inside = dataRange(partition, namespaceId, undefined, undefined);
      assert.ok(compareBytes(start, inside.start) <= 0 && compareBytes(inside.end, end) <= 0);
    }
    assert.ok(compareBytes(end, dataRange(partition + 1, 0, undefined, undefined).start) <= 0);
  }
});

test('findDifference: equal but for what may be collected', () => {
  const value = { key: 'k', at: 1, value: 'v' };
  assert.equal(findDifference([replica('a', 0, value), replica('b', 9, value)]), undefined);
  const tombstone = { key: 'd', at: 5 };
  assert.equal(findDifference([replica('a', 5, value), replica('b', 0, value, tombstone)]), undefined);
  assert.match(findDifference([replica('a', 4, value), replica('b', 0, value, tombstone)]) ?? '', /"d"/);
  const expiring = { key: 'e', at: 2, value: 'v', expiresAtMs: 6 };
  assert.equal(findDifference([replica('a', 6), replica('b', 0, expiring)]), undefined);
  assert.match(findDifference([replica('a', 5), replica('b', 0, expiring)]) ?? '', /"e"/);
  assert.match(findDifference([replica('a', 9, value), replica('b', 9)]) ?? '', /"k"/);
  assert.match(
    findDifference([replica('a', 0, value), replica('b', 0, { ...value, value: 'w' })]) ?? '',
    /"k"/,
  );
});

test('requireProvenBelow: what a watermark says of the replicas', () => {
  const check = (...replicas: Contents[]) => requireProvenBelow(version(5), 3, replicas);
  const value = { key: 'k', at: 3, value: 'v' };
  const refuses = breaks('below a watermark all replicas are equal');
  check(replica('a', 5, value), replica('b', 0, { ...value, at: 8 }));
  assert.throws(() => check(replica('a', 5, value), replica('b', 5)), refuses);
  assert.throws(() => check(replica('a', 5, value), replica('b', 5, { ...value, at: 2 })), refuses);
  check(replica('a', 5, { ...value, at: 6 }), replica('b', 5));
  const tombstone = { key: 'k', at: 5 };
  check(replica('a', 0, tombstone), replica('b', 5));
  assert.throws(() => check(replica('a', 0, tombstone), replica('b', 4)), refuses);
  assert.throws(() => check(replica('a', 5, tombstone), replica('b', 5, value)), refuses);
});

test('PartitionFacts: a watermark above its floor, one that falls, and one that is gone', () => {
  const fact = (epoch: number, floor: number, watermark: number) =>
    putMeta('partition-3', {
      epoch,
      floor: formatVersion(version(floor)),
      watermark: formatVersion(version(watermark)),
    });
  const facts = new PartitionFacts('node-1');
  assert.deepEqual(facts.written([fact(1, 4, 2), putMeta('partition-tree', {}), putMeta('identity', {})]), {
    risen: [3],
    entered: [],
  });
  assert.deepEqual(facts.written([fact(2, 5, 2)]), { risen: [], entered: [] });
  assert.throws(() => facts.written([fact(2, 5, 6)]), breaks('a watermark is at or below its floor'));
  for (const lower of [fact(1, 5, 2), fact(2, 4, 2), fact(2, 5, 1)])
    assert.throws(() => facts.written([lower]), breaks('floors and watermarks only rise'));
  const stored = fact(2, 6, 3) as { key: Uint8Array; value: Uint8Array };
  facts.found([stored]);
  assert.throws(() => facts.found([]), breaks('floors and watermarks only rise'));
});
