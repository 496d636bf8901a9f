import fc from 'fast-check';
import { toEpoch } from '../core/topology/types.ts';
import { COUNTER_MAX, MEMBER_MAX, type Version, WALL_MS_MAX } from '../core/version/version.ts';
import { KEY_BYTES_MAX, PARTITIONS_MAX } from './limits.ts';
import { BatchWriter, type ReplicaBatch } from './replica-codec.ts';
import type { NumberedReply } from './replica-codec-reply.ts';
import type { NumberedRequest } from './replica-codec-request.ts';
import type {
  ReplicaRefusalCode,
  ReplicaReply,
  ReplicaReplyBody,
  ReplicaRequest,
  ReplicaRequestBody,
  StoreOrigin,
} from './replica-messages.ts';

/** Random batches of requests for keys, and of their replies. */
const record = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const u32 = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 0xffff_ffff }));
const u48 = fc.oneof(
  fc.nat(200),
  fc.maxSafeNat().map((value) => value % 2 ** 48),
);
export const versions: fc.Arbitrary<Version> = record({
  wallMs: fc.oneof(
    fc.nat(9),
    fc.maxSafeNat().map((value) => value % (WALL_MS_MAX + 1)),
  ),
  counter: fc.integer({ min: 0, max: COUNTER_MAX }),
  member: fc.integer({ min: 0, max: MEMBER_MAX }),
});
const epoch = u48.map(toEpoch);
const bytes = fc.uint8Array({ maxLength: 300 });
const origin = fc.constantFrom<StoreOrigin>('write', 'write-back', 'repair', 'hint', 'exchange');
const refusal = fc.constantFrom<ReplicaRefusalCode>('STALE_EPOCH', 'BELOW_FLOOR', 'OVERLOADED', 'STOPPING');

const requestBodies = fc.oneof<fc.Arbitrary<ReplicaRequestBody>[]>(
  fc.constant({ type: 'ask' }),
  fc.boolean().map((isFull) => ({ type: 'read', isFull })),
  record({
    type: fc.constant('store' as const),
    origin,
    record: bytes,
    sourceWatermark: maybe(versions),
  }),
);

export const replicaRequests = (to: number): fc.Arbitrary<ReplicaRequest> =>
  record({
    to: fc.constant(to),
    partition: fc.nat(PARTITIONS_MAX - 1),
    epoch,
    namespaceId: u32,
    key: fc.uint8Array({ minLength: 1, maxLength: KEY_BYTES_MAX }),
    body: requestBodies,
  });

const sight = fc.tuple(maybe(versions), versions, fc.boolean(), bytes).map(
  ([version, watermark, isFull, bytes]): ReplicaReplyBody => ({
    type: 'sight',
    version,
    watermark,
    isFull,
    record: isFull && version !== undefined ? bytes : undefined,
  }),
);
const replyBodies = fc.oneof<fc.Arbitrary<ReplicaReplyBody>[]>(
  record({
    type: fc.constant('versions' as const),
    version: maybe(versions),
    floor: versions,
    watermark: versions,
    clock: versions,
    nowMs: u48,
  }),
  sight,
  versions.map((version) => ({ type: 'held', version })),
  record({
    type: fc.constant('refused' as const),
    code: refusal,
    message: fc.string({ unit: 'grapheme', maxLength: 40 }),
  }),
);

export const replicaReplies = (from: number): fc.Arbitrary<ReplicaReply> =>
  record({ from: fc.constant(from), epoch, body: replyBodies });

const member = fc.integer({ min: 1, max: 0xffff_ffff });
const some = { minLength: 1, maxLength: 8 };
const requestBatches: fc.Arbitrary<ReplicaBatch> = member.chain((to) => {
  const item = record<NumberedRequest>({ id: u32, remainingMs: u32, request: replicaRequests(to) });
  return record({
    type: fc.constant('requests' as const),
    session: u48,
    to: fc.constant(to),
    items: fc.array(item, some),
  });
});
const replyBatches: fc.Arbitrary<ReplicaBatch> = member.chain((from) => {
  const item = record<NumberedReply>({ id: u32, reply: replicaReplies(from) });
  return record({
    type: fc.constant('replies' as const),
    session: u48,
    from: fc.constant(from),
    items: fc.array(item, some),
  });
});
export const replicaBatches: fc.Arbitrary<ReplicaBatch> = fc.oneof(requestBatches, replyBatches);

export function encodeBatch(
  batch: ReplicaBatch,
  writer = new BatchWriter({ bytesMax: 1 << 24 }),
): Uint8Array {
  const member = batch.type === 'requests' ? batch.to : batch.from;
  writer.begin({ type: batch.type, session: batch.session, member });
  if (batch.type === 'requests')
    for (const { id, remainingMs, request } of batch.items) writer.addRequest(id, remainingMs, request);
  else for (const { id, reply } of batch.items) writer.addReply(id, reply);
  return writer.take();
}
