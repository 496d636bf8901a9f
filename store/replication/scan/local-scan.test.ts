import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOf } from '../../core/ring/slot.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import type { ScanRequest } from '../../peer/data-messages.ts';
import { scanHere } from './local-scan.ts';
import { bytes, NAMESPACE, PARTITIONS, record, ScanWorld, textOf } from './test-world.ts';

const ALL = Array.from({ length: PARTITIONS }, (_, partition) => ({
  partition,
  epoch: toEpoch(4),
  isFull: true,
}));
const REQUEST: ScanRequest = {
  ...{ type: 'scan', partitions: ALL, namespaceId: NAMESPACE, start: undefined, end: undefined },
  ...{ isReverse: false, entriesMax: 100, bytesMax: 1 << 20 },
};
const LIMITS = { entriesMax: 100, bytesMax: 1 << 20, examinedBytesMax: 1 << 20 };

async function worldOf(keys: readonly string[], value = 'v'): Promise<ScanWorld> {
  const world = new ScanWorld(
    settle,
    1,
    ALL.map(() => [1]),
  );
  for (const [i, key] of keys.entries()) await world.store(1, key, record(i + 1, value));
  return world;
}

type Fence = { readonly epoch?: number; readonly learns?: number; readonly isOwner?: boolean };

async function scan(
  world: ScanWorld,
  change: Partial<ScanRequest>,
  limits = LIMITS,
  fence: Fence = { epoch: 4 },
) {
  let { epoch } = fence;
  const engine = world.engines.get(1);
  assert.ok(engine);
  return scanHere({ ...REQUEST, ...change }, limits, {
    engine,
    epochOf: () => (fence.isOwner === false || epoch === undefined ? undefined : toEpoch(epoch)),
    topologyEpochOf: () => toEpoch(epoch ?? 0),
    waitForEpoch: async (wanted) => {
      epoch = fence.learns ?? epoch;
      return (epoch ?? 0) >= wanted;
    },
    onCorrupt() {},
  });
}

test('scanHere: all asked partitions in the order of keys, tombstones and expired ones as well', async () => {
  const world = await worldOf(['b', 'a', 'd', 'c']);
  await world.store(1, 'bb', record(9, undefined));
  await world.store(1, 'cc', record(9, 'old', 1));
  const reply = await scan(world, {});
  assert.equal(reply.type, 'scan');
  assert.deepEqual(
    reply.entries.map(({ key }) => textOf(key)),
    ['a', 'b', 'bb', 'c', 'cc', 'd'],
  );
  assert.equal(reply.coveredTo, undefined);
  const [, , tombstone, , expired] = reply.entries;
  assert.deepEqual([tombstone?.isTombstone, expired?.expiresAtMs], [true, 1]);
  const some = ALL.filter(({ partition }) => partition === partitionOf(bytes('c'), PARTITIONS));
  const part = await scan(world, { partitions: some });
  assert.ok(part.type === 'scan' && part.entries.every((entry) => entry.partition === some[0]?.partition));
  assert.ok(part.entries.some(({ key }) => textOf(key) === 'c'));
});

test('scanHere: pages end at entries, bytes and what was read, say how far they reach, and never stand still', async () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const world = await worldOf(keys, 'x'.repeat(1000));
  const reach = async (change: Partial<ScanRequest>, limits = LIMITS): Promise<[number, string]> => {
    const reply = await scan(world, change, limits);
    assert.equal(reply.type, 'scan');
    return [reply.entries.length, reply.coveredTo === undefined ? 'end' : textOf(reply.coveredTo)];
  };
  assert.deepEqual(await reach({ entriesMax: 2 }), [2, 'b']);
  assert.deepEqual(await reach({}, { ...LIMITS, entriesMax: 2 }), [2, 'b']);
  assert.deepEqual(await reach({ entriesMax: 5 }), [5, 'end']);
  assert.deepEqual(await reach({ bytesMax: 2500 }), [2, 'b']);
  assert.deepEqual(await reach({ bytesMax: 1 }), [1, 'a']);
  assert.deepEqual(await reach({ entriesMax: 2, isReverse: true }), [2, 'd']);
  assert.deepEqual(await reach({ start: bytes('b'), end: bytes('d') }), [2, 'end']);
  assert.deepEqual(await reach({ start: bytes('d'), end: bytes('b') }), [0, 'end']);
  const versionsOnly = ALL.map((each) => ({ ...each, isFull: false }));
  assert.deepEqual(await reach({ partitions: versionsOnly, bytesMax: 2500 }), [5, 'end']);
  assert.deepEqual(await reach({ partitions: versionsOnly }, { ...LIMITS, examinedBytesMax: 2000 }), [
    2,
    'b',
  ]);
});

test('scanHere: without isFull the version, the content type and no record', async () => {
  const world = await worldOf(['a']);
  const reply = await scan(world, { partitions: ALL.map((each) => ({ ...each, isFull: false })) });
  assert.ok(reply.type === 'scan');
  const [entry] = reply.entries;
  assert.deepEqual([entry?.version.wallMs, entry?.contentType, entry?.record], [1, 'text/x', undefined]);
});

test('scanHere: refuses another epoch of any asked partition, before and after it has read', async () => {
  const world = await worldOf(['a']);
  const refusal = async (fence: Fence): Promise<string> => {
    const reply = await scan(world, {}, LIMITS, fence);
    return reply.type === 'data-refused' ? `${reply.code} ${reply.epoch}` : reply.type;
  };
  assert.equal(await refusal({ epoch: 5 }), 'STALE_EPOCH 5');
  assert.equal(await refusal({ epoch: 3 }), 'EPOCH_UNKNOWN 3');
  assert.equal(await refusal({ epoch: 3, learns: 4 }), 'scan', 'it catches up first');
  assert.equal(await refusal({ epoch: 4, isOwner: false }), 'NOT_OWNER 4');
  assert.equal(await refusal({ epoch: 7, isOwner: false }), 'STALE_EPOCH 7');
  assert.equal(await refusal({}), 'EPOCH_UNKNOWN 0');
  let asked = 0;
  const engine = world.engines.get(1);
  assert.ok(engine);
  const moved = await scanHere(REQUEST, LIMITS, {
    engine,
    // Each look at the fence, and the one whether to wait, asks once for a partition.
    epochOf: () => toEpoch(++asked <= 2 * PARTITIONS ? 4 : 6),
    topologyEpochOf: () => toEpoch(6),
    waitForEpoch: async () => true,
    onCorrupt() {},
  });
  assert.equal(moved.type === 'data-refused' && moved.code, 'STALE_EPOCH');
});
