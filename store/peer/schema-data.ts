import { z } from 'zod';
import { FAN_OUT_MAX, LEAF_COUNT_MAX } from '../core/merkle/tree-shape.ts';
import { COUNTER_MAX, MEMBER_MAX, WALL_MS_MAX } from '../core/version/version.ts';
import { KEY_BYTES_MAX, MEMBERS_MAX, PAGE_ENTRIES_MAX, PARTITIONS_MAX } from './limits.ts';
import { byteArray, count, epoch, id, memberId, optional, text } from './schema-parts.ts';

/** Schemas of what members ask each other about whole partitions; `schema.ts` keeps them equal to the types. */
const DEPTH_MAX = 16;
const HASH_BYTES = 8;

const bytesUpTo = (max: number) => byteArray.refine(({ length }) => length <= max, `more than ${max} bytes`);
const partition = count.max(PARTITIONS_MAX - 1);
const namespaceId = count.max(0xffff_ffff);
const key = bytesUpTo(KEY_BYTES_MAX);
const version = z.object({
  wallMs: count.max(WALL_MS_MAX),
  counter: count.max(COUNTER_MAX),
  member: count.max(MEMBER_MAX),
});
const partitionAt = { partition, epoch } as const;
const keyAt = { namespaceId, key } as const;
const pageEntries = count.max(PAGE_ENTRIES_MAX);

const walkAsk = z.object({
  type: z.literal('ask'),
  number: count,
  shape: z.object({ fanOut: count.max(FAN_OUT_MAX), depth: count.max(DEPTH_MAX) }),
  level: count.max(DEPTH_MAX),
  parents: z.array(count.max(LEAF_COUNT_MAX)).max(LEAF_COUNT_MAX),
});
const walkAnswer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('answer'), number: count, hashes: bytesUpTo(LEAF_COUNT_MAX * HASH_BYTES) }),
  z.object({ type: z.literal('refusal'), number: count, reason: text }),
]);
const round = z.object({ initiator: memberId, incarnation: count, number: count, floor: version });

const to = memberId;
export const dataRequest = z.discriminatedUnion('type', [
  z.object({
    to,
    type: z.literal('roots'),
    partitions: z.array(z.object(partitionAt)).max(PARTITIONS_MAX),
  }),
  z.object({ to, type: z.literal('walk'), ...partitionAt, ask: walkAsk }),
  z.object({
    to,
    type: z.literal('leaves'),
    ...partitionAt,
    leaves: z.array(count.max(LEAF_COUNT_MAX)).max(LEAF_COUNT_MAX),
    after: optional(z.object(keyAt)),
    entriesMax: pageEntries,
  }),
  z.object({ to, type: z.literal('round'), ...partitionAt, stage: z.enum(['floor', 'settled']), round }),
  z.object({
    to,
    type: z.literal('scan'),
    partitions: z.array(z.object({ ...partitionAt, isFull: z.boolean() })).max(PARTITIONS_MAX),
    namespaceId,
    start: optional(scanBound()),
    end: optional(scanBound()),
    isReverse: z.boolean(),
    entriesMax: pageEntries,
    bytesMax: count,
  }),
  z.object({
    to,
    type: z.literal('bulk'),
    ...partitionAt,
    after: optional(z.object(keyAt)),
    bytesMax: count,
  }),
  z.object({ to, type: z.literal('report') }),
  z.object({ to, type: z.literal('explain'), ...partitionAt, ...keyAt }),
  z.object({ to, type: z.literal('verify'), partitions: z.array(partition).max(PARTITIONS_MAX) }),
]);

/** The bound above all keys with a prefix, or just behind a key, may be a byte longer than a key. */
function scanBound() {
  return bytesUpTo(KEY_BYTES_MAX + 1);
}

const rootOf = z.object({
  ...partitionAt,
  state: z.enum(['ready', 'building', 'refused']),
  root: bytesUpTo(HASH_BYTES),
  entries: count,
  floor: version,
  watermark: version,
});
const leafEntry = z.object({ ...keyAt, version, isTombstone: z.boolean() });
const scannedEntry = z.object({
  partition,
  key,
  version,
  isTombstone: z.boolean(),
  expiresAtMs: optional(count),
  contentType: optional(text),
  record: optional(byteArray),
});
const roundOutcome = z.discriminatedUnion('type', [
  z.object({ type: z.literal('confirmed'), floor: version, watermark: version }),
  z.object({ type: z.literal('refused'), reason: text }),
]);
const keyReport = {
  epoch,
  version: optional(version),
  isTombstone: z.boolean(),
  expiresAtMs: optional(count),
  bytes: count,
  isCorrupt: z.boolean(),
  floor: version,
  watermark: version,
  hints: z.array(z.object({ owner: memberId, version })).max(MEMBERS_MAX),
  lastExchange: z.array(z.object({ member: memberId, atMs: count })).max(MEMBERS_MAX),
  treeState: z.enum(['ready', 'building']),
} as const;
const verifyReport = z.object({
  partitions: count,
  equal: count,
  keysRepaired: count,
  bytesSent: count,
  unproven: z.array(partition).max(PARTITIONS_MAX),
  problems: z.array(text).max(PARTITIONS_MAX),
});

const memberReport = z.object({
  received: z
    .array(z.object({ partition, session: count, bytes: count, bytesPerSecond: z.number().nonnegative() }))
    .max(PARTITIONS_MAX),
  owned: z.array(z.object({ partition, entries: count, bytes: count })).max(PARTITIONS_MAX),
  hints: z.array(z.object({ member: memberId, count, bytes: count })).max(MEMBERS_MAX),
  freeBytes: optional(count),
});

export const dataReply = z.discriminatedUnion('type', [
  z.object({ type: z.literal('roots'), roots: z.array(rootOf).max(PARTITIONS_MAX) }),
  z.object({ type: z.literal('walk'), answer: walkAnswer }),
  z.object({
    type: z.literal('leaves'),
    entries: z.array(leafEntry).max(PAGE_ENTRIES_MAX),
    done: z.boolean(),
  }),
  z.object({ type: z.literal('round'), outcome: roundOutcome }),
  z.object({
    type: z.literal('scan'),
    entries: z.array(scannedEntry).max(PAGE_ENTRIES_MAX),
    coveredTo: optional(key),
  }),
  z.object({
    type: z.literal('bulk'),
    records: byteArray,
    last: optional(z.object(keyAt)),
    p99Ms: optional(z.number().nonnegative()),
  }),
  z.object({ type: z.literal('report'), report: memberReport }),
  z.object({ type: z.literal('explain'), ...keyReport }),
  z.object({ type: z.literal('verify'), report: verifyReport }),
  z.object({ type: z.literal('data-refused'), code: id, message: text, epoch }),
]);
