import fc from 'fast-check';
import type { GossipPacket } from '../core/gossip/messages.ts';
import type { Message as RaftMessage } from '../core/raft/messages.ts';
import { toIndex, toTerm } from '../core/raft/types.ts';
import type { RequestedWant, TopologyCommand } from '../core/topology/command.ts';
import { toEpoch, toMoveSession } from '../core/topology/types.ts';
import type { Hello, HelloRefusal, PackedMessage, PeerReply, PeerRequest } from './messages.ts';
import { dataReplies, dataRequests } from './test-data-messages.ts';

/** Random bodies of every kind. A type that is missing here is missed by the compiler: see `everyType`. */
/** Ordinary objects, as the decoder makes them. */
const record = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;

const count = fc.oneof(fc.nat(200), fc.maxSafeNat());
const member = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 0xffff_ffff }));
const term = count.map(toTerm);
const index = count.map(toIndex);
const epoch = count.map(toEpoch);
const position = record({ index, term });
const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const address = fc.constantFrom('127.0.0.1:7401', '[::1]:7401', 'kvorum-0.kvorum.default.svc:7401', '');
const clusterId = fc.stringMatching(/^[0-9a-f]{32}$/);
const members = fc.array(member, { maxLength: 6 });
const configuration = record({ voters: members, votersOutgoing: members, learners: members });
const readId = record({ member, incarnation: count, sequence: count });
const entry = fc.oneof(
  record({ type: fc.constant('no-op' as const), index, term }),
  record({ type: fc.constant('command' as const), index, term, data: bytes }),
  record({ type: fc.constant('config' as const), index, term, configuration }),
);
const succession = { incarnation: count, lives: fc.array(text, { maxLength: 5 }) };
const announcement = {
  peerAddress: address,
  httpAddress: address,
  respAddress: address,
  zone: text,
  version: text,
};

type Bodies<T extends { readonly type: string }> = {
  readonly [Type in T['type']]: fc.Arbitrary<Omit<Extract<T, { readonly type: Type }>, 'type'>>;
};

/** One of all types of a union; the compiler wants each of them in `bodies`. */
function everyType<T extends { readonly type: string }>(bodies: Bodies<T>): fc.Arbitrary<T> {
  const types = Object.entries(bodies) as [string, fc.Arbitrary<object>][];
  return fc.oneof(
    ...types.map(([type, body]) => body.map((fields) => ({ type, ...fields }) as unknown as T)),
  );
}

const envelope = { from: member, to: member, term };
const yes = { isGranted: fc.boolean() };
export const raftMessages = everyType<RaftMessage>({
  'pre-vote': record({ ...envelope, last: position }),
  'pre-vote-response': record({ ...envelope, ...yes }),
  vote: record({ ...envelope, last: position, isTransfer: fc.boolean() }),
  'vote-response': record({ ...envelope, ...yes }),
  append: record({
    ...envelope,
    previous: position,
    entries: fc.array(entry, { maxLength: 8 }),
    commit: index,
  }),
  'append-response': record({ ...envelope, match: index }),
  'append-rejection': record({ ...envelope, rejected: index, hint: position }),
  heartbeat: record({ ...envelope, commit: index, round: count }),
  'heartbeat-response': record({ ...envelope, round: count }),
  snapshot: record({
    ...envelope,
    meta: record({ index, term, configuration }),
    offset: count,
    bytesTotal: count,
    data: bytes,
  }),
  'snapshot-response': record({ ...envelope, snapshot: index, offset: count }),
  'timeout-now': record(envelope),
  'read-index': record({ ...envelope, id: readId }),
  'read-index-response': record({ ...envelope, id: readId, index }),
  'stale-term': record(envelope),
});

const rumour = record({
  member,
  liveness: fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const, 'left' as const),
  incarnation: count,
  refutation: count,
  address,
  epoch,
  load: fc.double({ min: 0, max: 1, noNaN: true }).map((load) => load + 0),
});
const packet = { sequence: count, from: member, rumours: fc.array(rumour, { maxLength: 8 }) };
const gossipPackets = everyType<GossipPacket>({
  ping: record(packet),
  ack: record(packet),
  'ping-request': record({ ...packet, target: member, targetAddress: address }),
  nack: record(packet),
});

export const packedMessages = everyType<PackedMessage>({
  raft: record({ message: raftMessages }),
  gossip: record({ packet: gossipPackets }),
});

const join = { name: text, directoryId: text, weight: count, ...announcement };
const session = count.map(toMoveSession);
const at = { partition: count, session, epoch };
const moves = fc.array(record(at), { maxLength: 4 });
const sources = fc.array(member, { maxLength: 5 });
const movesWithSources = fc.array(record({ ...at, sources }), { maxLength: 4 });
const commands = everyType<TopologyCommand>({
  join: record({ ...join, replaces: fc.option(member, { nil: undefined }) }),
  start: record({ member, directoryId: text, ...succession, ...announcement }),
  'update-member': record({
    member,
    weight: fc.option(count, { nil: undefined }),
    zone: fc.option(text, { nil: undefined }),
  }),
  'remove-member': record({ member }),
  'operation-start': record({
    want: everyType<RequestedWant>({
      drain: record({ member }),
      replace: record({ member }),
      rebalance: record({}),
      factor: record({ replicationFactor: count }),
    }),
    isForced: fc.boolean(),
    by: text,
    atMs: count,
    partitions: count,
  }),
  'operation-cancel': record({ id: epoch, atMs: count }),
  'operation-end': record({ id: epoch, atMs: count }),
  'stop-lease': record({
    ...{ member, seen: fc.array(member, { maxLength: 3 }), atMs: count, untilMs: count },
  }),
  'place-partitions': record({
    expectedEpoch: epoch,
    replicaSets: fc.array(fc.array(member, { maxLength: 5 }), { maxLength: 16 }),
  }),
  'create-namespace': record({ name: text, createdAtMs: count }),
  'drop-namespace': record({ name: text, id: count }),
  'move-start': record({
    replicationFactor: count,
    moves: fc.array(record({ partition: count, epoch, to: fc.array(member, { maxLength: 5 }) }), {
      maxLength: 4,
    }),
  }),
  'move-enter': record({ member, moves }),
  'move-advance': record({ moves }),
  'move-confirm': record({ member, moves }),
  'move-sources': record({ moves: movesWithSources }),
  'move-synced': record({ member, moves: movesWithSources }),
  'move-switch': record({ moves }),
  'move-done': record({ moves }),
  'move-cancel': record({ moves }),
});

export const peerRequests = everyType<PeerRequest>({
  who: record({}),
  join: record({ ...join, clusterId }),
  propose: record({ command: commands }),
  'transfer-leadership': record({ to: fc.option(member, { nil: undefined }) }),
  data: record({ request: dataRequests }),
});

export const helloRefusals: fc.Arbitrary<HelloRefusal> = record({
  code: fc.constantFrom('WRONG_PROTOCOL' as const, 'SELF' as const, 'BAD_HELLO' as const),
  message: text,
});

const leader = fc.option(record({ member, address }), { nil: undefined });
const refusalCode = fc.constantFrom(
  'NAME_TAKEN' as const,
  'LAST_MEMBER' as const,
  'NAMESPACE_LIMIT' as const,
);
export const peerReplies = everyType<PeerReply>({
  who: record({
    clusterId: fc.option(clusterId, { nil: undefined }),
    leader,
    addresses: fc.array(address, { maxLength: 9 }),
    refusal: fc.option(helloRefusals, { nil: undefined }),
  }),
  joined: record({ member, partitions: count, epoch }),
  done: record({ epoch, subject: count }),
  refused: record({ code: refusalCode, message: text }),
  'not-leader': record({ leader }),
  busy: record({ message: text }),
  unknown: record({ message: text }),
  'transfer-refused': record({ message: text }),
  data: record({ reply: dataReplies }),
});

export const hellos: fc.Arbitrary<Hello> = record({
  protocolMin: count,
  protocolMax: count,
  name: text,
  directoryId: text,
  peerAddress: address,
  version: text,
  clusterId: fc.option(clusterId, { nil: undefined }),
  member: fc.option(record({ number: member, ...succession }), { nil: undefined }),
});
