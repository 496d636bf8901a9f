import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeStore, type StoreCase } from './judge-store.ts';
import { versionOf } from './test-replica.ts';

const live = (wallMs: number, expiresAtMs?: number) => ({
  version: versionOf(wallMs),
  isTombstone: false,
  expiresAtMs,
});
const tombstone = (wallMs: number) => ({
  version: versionOf(wallMs),
  isTombstone: true,
  expiresAtMs: undefined,
});

/** Floor 20, watermark 10, nothing held, offered by a source with the same watermark. */
const CASE: StoreCase = {
  origin: 'exchange',
  offered: live(10),
  newest: undefined,
  isDamaged: false,
  isFilling: false,
  promised: undefined,
  floor: versionOf(20),
  watermark: versionOf(10),
  sourceWatermark: versionOf(10),
};

const judge = (over: Partial<StoreCase>): string => judgeStore({ ...CASE, ...over });

test('a floor refuses what clients and hints bring, at it or below', () => {
  for (const origin of ['write', 'hint'] as const) {
    assert.equal(judge({ origin, offered: live(20) }), 'BELOW_FLOOR');
    assert.equal(judge({ origin, offered: live(21) }), 'accept');
  }
});

test('repairs pass the floor, and a watermark refuses them, at it or below', () => {
  for (const origin of ['repair', 'write-back', 'exchange'] as const) {
    assert.equal(judge({ origin, offered: live(11), sourceWatermark: undefined }), 'accept');
    assert.equal(judge({ origin, offered: live(10), sourceWatermark: undefined }), 'BELOW_WATERMARK');
    assert.equal(judge({ origin, offered: live(10), sourceWatermark: versionOf(9) }), 'BELOW_WATERMARK');
  }
});

// D13 (palantir/cassandra#705, CASSANDRA-20071): a copy older than the purge sent the live cell again.
test('D13 below the watermark only a source that has seen it brings back what was lost', () => {
  assert.equal(judge({ sourceWatermark: versionOf(9) }), 'BELOW_WATERMARK');
  assert.equal(judge({}), 'accept-lost');
  assert.equal(judge({ origin: 'write-back' }), 'accept-lost');
  assert.equal(judge({ origin: 'repair' }), 'BELOW_WATERMARK');
});

// D17 (riak_kv#473): what one replica has collected and another has not yet would travel for ever.
test('D17 what waits for its collection elsewhere does not come back', () => {
  assert.equal(judge({ offered: tombstone(10) }), 'BELOW_WATERMARK');
  assert.equal(judge({ offered: live(9, 10) }), 'BELOW_WATERMARK');
  assert.equal(judge({ offered: live(9, 11) }), 'accept-lost', 'it expires above the watermark');
  assert.equal(judge({ offered: tombstone(10), newest: live(5) }), 'accept-lost', 'something older is held');
});

test('a damaged record is overwritten by what comes from a quorum, and by nothing that it is known to be above', () => {
  const isDamaged = true;
  for (const origin of ['hint', 'exchange'] as const)
    assert.equal(judge({ origin, isDamaged, offered: live(99) }), 'RECORD_CORRUPT');
  for (const origin of ['write-back', 'repair'] as const) {
    assert.equal(judge({ origin, isDamaged, offered: live(5) }), 'accept', 'old data rots too');
    assert.equal(judge({ origin, isDamaged, offered: live(5), promised: versionOf(5) }), 'accept');
    assert.equal(judge({ origin, isDamaged, offered: live(5), promised: versionOf(6) }), 'RECORD_CORRUPT');
  }
  assert.equal(judge({ origin: 'write', isDamaged, offered: live(21) }), 'accept');
  assert.equal(judge({ origin: 'write', isDamaged, offered: live(20) }), 'BELOW_FLOOR');
});
