import { z } from 'zod';
import type { DataReply, DataRequest } from './data-messages.ts';
import { MEMBERS_MAX, PARTITIONS_MAX, REPLICAS_MAX } from './limits.ts';
import type { Hello, HelloRefusal, PackedMessage, PeerReply, PeerRequest } from './messages.ts';
import { dataReply, dataRequest } from './schema-data.ts';
import { gossipPacket } from './schema-gossip.ts';
import {
  address,
  announcement,
  clusterId,
  count,
  epoch,
  id,
  memberId,
  moveSession,
  nodeName,
  optional,
  succession,
  text,
} from './schema-parts.ts';
import { raftMessage } from './schema-raft.ts';

/** What may cross the border from another node, field by field. Unknown fields are dropped: docs/protocol.md. */
export const helloSchema = z.object({
  protocolMin: count,
  protocolMax: count,
  name: nodeName,
  directoryId: id,
  peerAddress: address,
  version: id,
  clusterId: optional(clusterId),
  member: optional(z.object({ number: memberId, ...succession })),
});

/** All that must be understood of the hello of any version. */
export const protocolRangeSchema = z.object({ protocolMin: count, protocolMax: count });

export const helloRefusalSchema = z.object({
  code: z.enum([
    'WRONG_PROTOCOL',
    'WRONG_CLUSTER',
    'REMOVED_MEMBER',
    'STALE_MEMBER',
    'SELF',
    'OVERLOADED',
    'BAD_HELLO',
  ]),
  message: text,
});

/** Of the messages that are MessagePack: a batch of requests for keys has a codec of its own. */
export const peerMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('raft'), message: raftMessage }),
  z.object({ type: z.literal('gossip'), packet: gossipPacket }),
]);

const replicaSet = z.array(memberId).max(REPLICAS_MAX);
const moveAt = { partition: count, session: moveSession, epoch } as const;
const moves = z.array(z.object(moveAt)).max(PARTITIONS_MAX);
const movesWithSources = z.array(z.object({ ...moveAt, sources: replicaSet })).max(PARTITIONS_MAX);

const command = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('join'),
    name: nodeName,
    directoryId: id,
    weight: count,
    replaces: optional(memberId),
    ...announcement,
  }),
  z.object({
    type: z.literal('start'),
    member: memberId,
    directoryId: id,
    ...succession,
    ...announcement,
  }),
  z.object({
    type: z.literal('update-member'),
    member: memberId,
    weight: optional(count),
    zone: optional(text),
  }),
  z.object({ type: z.literal('remove-member'), member: memberId }),
  z.object({
    type: z.literal('operation-start'),
    want: z.discriminatedUnion('type', [
      z.object({ type: z.literal('drain'), member: memberId }),
      z.object({ type: z.literal('replace'), member: memberId }),
      z.object({ type: z.literal('rebalance') }),
      z.object({ type: z.literal('factor'), replicationFactor: count }),
    ]),
    isForced: z.boolean(),
    by: text,
    atMs: count,
    partitions: count,
  }),
  z.object({ type: z.literal('operation-cancel'), id: epoch, atMs: count }),
  z.object({ type: z.literal('operation-end'), id: epoch, atMs: count }),
  z.object({
    type: z.literal('stop-lease'),
    member: memberId,
    seen: z.array(memberId).max(MEMBERS_MAX),
    atMs: count,
    untilMs: count,
  }),
  z.object({
    type: z.literal('place-partitions'),
    expectedEpoch: epoch,
    replicaSets: z.array(replicaSet).max(PARTITIONS_MAX),
  }),
  z.object({ type: z.literal('create-namespace'), name: nodeName, createdAtMs: count }),
  z.object({ type: z.literal('drop-namespace'), name: nodeName, id: count }),
  z.object({
    type: z.literal('move-start'),
    replicationFactor: count,
    moves: z.array(z.object({ partition: count, epoch, to: replicaSet })).max(PARTITIONS_MAX),
  }),
  z.object({ type: z.literal('move-enter'), member: memberId, moves }),
  z.object({ type: z.literal('move-advance'), moves }),
  z.object({ type: z.literal('move-confirm'), member: memberId, moves }),
  z.object({ type: z.literal('move-sources'), moves: movesWithSources }),
  z.object({ type: z.literal('move-synced'), member: memberId, moves: movesWithSources }),
  z.object({ type: z.literal('move-switch'), moves }),
  z.object({ type: z.literal('move-done'), moves }),
  z.object({ type: z.literal('move-cancel'), moves }),
]);

export const peerRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('who') }),
  z.object({
    type: z.literal('join'),
    clusterId,
    name: nodeName,
    directoryId: id,
    weight: count,
    ...announcement,
  }),
  z.object({ type: z.literal('propose'), command }),
  z.object({ type: z.literal('transfer-leadership'), to: optional(memberId) }),
  z.object({ type: z.literal('data'), request: dataRequest }),
]);

const leader = optional(z.object({ member: memberId, address }));
const refusalCode = z.enum([
  'NAME_TAKEN',
  'MEMBER_LIMIT',
  'MEMBER_NOT_FOUND',
  'MEMBER_STALE',
  'MEMBER_OWNS_DATA',
  'LAST_MEMBER',
  'TOO_FEW_MEMBERS',
  'TOO_FEW_ZONES',
  'QUORUM_AT_RISK',
  'EPOCH_CHANGED',
  'ALREADY_PLACED',
  'BAD_PLACEMENT',
  'PARTITION_MOVING',
  'BAD_MOVE',
  'MOVE_NOT_READY',
  'MOVE_SWITCHED',
  'OPERATION_NOT_FOUND',
  'OPERATION_NOT_CANCELLABLE',
  'MEMBER_ALIVE',
  'STOP_LEASE_TAKEN',
  'NAMESPACE_NOT_FOUND',
  'NAMESPACE_PROTECTED',
  'NAMESPACE_LIMIT',
]);

export const peerReplySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('who'),
    clusterId: optional(clusterId),
    leader,
    addresses: z.array(address).max(MEMBERS_MAX),
    refusal: optional(helloRefusalSchema),
  }),
  z.object({ type: z.literal('joined'), member: memberId, partitions: count, epoch }),
  z.object({ type: z.literal('done'), epoch, subject: count }),
  z.object({ type: z.literal('refused'), code: refusalCode, message: text }),
  z.object({ type: z.literal('transfer-refused'), message: text }),
  z.object({ type: z.literal('not-leader'), leader }),
  z.object({ type: z.literal('busy'), message: text }),
  z.object({ type: z.literal('unknown'), message: text }),
  z.object({ type: z.literal('data'), reply: dataReply }),
]);

/** `T` with every part read-only and intersections made one, so that equal shapes are equal types. */
type Plain<T> = T extends string | number | boolean | undefined | Uint8Array
  ? T
  : { readonly [K in keyof T]: Plain<T[K]> };
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Matches<Schema extends z.ZodType, T> = Equal<Plain<z.output<Schema>>, Plain<T>>;

type Assert<T extends true> = T;

/** The compiler refuses a schema that allows more, or less, than its type. */
export type SchemasMatchTypes = [
  Assert<Matches<typeof helloSchema, Hello>>,
  Assert<Matches<typeof helloRefusalSchema, HelloRefusal>>,
  Assert<Matches<typeof peerMessageSchema, PackedMessage>>,
  Assert<Matches<typeof peerRequestSchema, PeerRequest>>,
  Assert<Matches<typeof peerReplySchema, PeerReply>>,
  Assert<Matches<typeof dataRequest, DataRequest>>,
  Assert<Matches<typeof dataReply, DataReply>>,
];
