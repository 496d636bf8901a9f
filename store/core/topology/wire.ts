import type { CommandOf, MoveSources, MoveStart, RequestedWant, TopologyCommand } from './command.ts';
import { LIMITS, REQUESTER } from './limits.ts';
import {
  asRecord,
  isBoolean,
  isTrue,
  list,
  object,
  ofType,
  oneOf,
  optional,
  type Reader,
  text,
  whole,
} from './shape.ts';
import type {
  Epoch,
  Member,
  Move,
  MoveAt,
  MoveIn,
  MoveSession,
  MoveStage,
  Operation,
  OperationType,
  OperationWant,
  Partition,
  StopLease,
  Synced,
  TopologyNamespace,
  TopologySettings,
  TopologyState,
} from './types.ts';

/** The shapes of commands and state as they are written, field by field. */

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const dnsLabel = text(
  LIMITS.nameCharactersMax,
  DNS_LABEL,
  'a DNS label: 1 to 63 of a-z, 0-9 and -, no - at either end',
);
const address = text(LIMITS.addressCharactersMax, /^\S+:\d{1,5}$/, 'host:port, also with a scheme');
const anyText = text(LIMITS.textCharactersMax);
const someText = text(LIMITS.textCharactersMax, /./, 'not empty');
const memberNumber = whole(1, LIMITS.memberNumberMax);
const epoch = whole<Epoch>(0);
const weight = whole(1, LIMITS.weightMax);
const replicas = list(memberNumber, LIMITS.replicationFactorMax);

const zone = text(LIMITS.zoneCharactersMax);
const replicationFactor = whole(1, LIMITS.replicationFactorMax);

const operationId = whole<Epoch>(1);
const requester = text(LIMITS.textCharactersMax, REQUESTER, 'not empty, without control characters');
const atMs = whole(0);
const partitionCount = whole(0, LIMITS.partitionsMax);
/** What is the same in a command and in what is kept of it. */
const WANTS = {
  drain: object<WantOf<'drain'>>({ type: oneOf('drain'), member: memberNumber }),
  replace: object<WantOf<'replace'>>({ type: oneOf('replace'), member: memberNumber }),
  rebalance: object<WantOf<'rebalance'>>({ type: oneOf('rebalance') }),
} as const;
type WantOf<T extends OperationType> = Extract<OperationWant, { readonly type: T }>;

const session = whole<MoveSession>(1);
const partitionNumber = whole(0, LIMITS.partitionsMax - 1);
const at = { partition: partitionNumber, session, epoch };
const moves = list(object<MoveAt>(at), LIMITS.partitionsMax);
const movesWithSources = list(object<MoveSources>({ ...at, sources: replicas }), LIMITS.partitionsMax);

const announcement = {
  peerAddress: address,
  httpAddress: address,
  respAddress: optional(address),
  zone,
  version: anyText,
};

const COMMANDS: { readonly [T in TopologyCommand['type']]: Reader<CommandOf<T>> } = {
  join: object<CommandOf<'join'>>({
    type: oneOf('join'),
    name: dnsLabel,
    directoryId: someText,
    weight,
    replaces: optional(memberNumber),
    ...announcement,
  }),
  start: object<CommandOf<'start'>>({
    type: oneOf('start'),
    member: memberNumber,
    directoryId: someText,
    incarnation: whole(1),
    lives: list(someText, LIMITS.livesMax),
    ...announcement,
  }),
  'update-member': object<CommandOf<'update-member'>>({
    type: oneOf('update-member'),
    member: memberNumber,
    weight: optional(weight),
    zone: optional(zone),
  }),
  'remove-member': object<CommandOf<'remove-member'>>({ type: oneOf('remove-member'), member: memberNumber }),
  'operation-start': object<CommandOf<'operation-start'>>({
    type: oneOf('operation-start'),
    want: ofType<RequestedWant>({ ...WANTS, factor: object({ type: oneOf('factor'), replicationFactor }) }),
    isForced: isBoolean,
    by: requester,
    atMs,
    partitions: partitionCount,
  }),
  'operation-cancel': object<CommandOf<'operation-cancel'>>({
    ...{ type: oneOf('operation-cancel'), id: operationId, atMs },
  }),
  'operation-end': object<CommandOf<'operation-end'>>({
    ...{ type: oneOf('operation-end'), id: operationId, atMs },
  }),
  'stop-lease': object<CommandOf<'stop-lease'>>({
    type: oneOf('stop-lease'),
    member: memberNumber,
    seen: list(memberNumber, LIMITS.membersMax),
    atMs,
    untilMs: atMs,
  }),
  'place-partitions': object<CommandOf<'place-partitions'>>({
    type: oneOf('place-partitions'),
    expectedEpoch: epoch,
    replicaSets: list(replicas, LIMITS.partitionsMax),
  }),
  'create-namespace': object<CommandOf<'create-namespace'>>({
    type: oneOf('create-namespace'),
    name: dnsLabel,
    createdAtMs: whole(0),
  }),
  'drop-namespace': object<CommandOf<'drop-namespace'>>({
    type: oneOf('drop-namespace'),
    name: dnsLabel,
    id: whole(1),
  }),
  'move-start': object<CommandOf<'move-start'>>({
    type: oneOf('move-start'),
    replicationFactor,
    moves: list(object<MoveStart>({ partition: partitionNumber, epoch, to: replicas }), LIMITS.partitionsMax),
  }),
  'move-enter': object<CommandOf<'move-enter'>>({ type: oneOf('move-enter'), member: memberNumber, moves }),
  'move-advance': object<CommandOf<'move-advance'>>({ type: oneOf('move-advance'), moves }),
  'move-confirm': object<CommandOf<'move-confirm'>>({
    type: oneOf('move-confirm'),
    member: memberNumber,
    moves,
  }),
  'move-sources': object<CommandOf<'move-sources'>>({ type: oneOf('move-sources'), moves: movesWithSources }),
  'move-synced': object<CommandOf<'move-synced'>>({
    type: oneOf('move-synced'),
    member: memberNumber,
    moves: movesWithSources,
  }),
  'move-switch': object<CommandOf<'move-switch'>>({ type: oneOf('move-switch'), moves }),
  'move-done': object<CommandOf<'move-done'>>({ type: oneOf('move-done'), moves }),
  'move-cancel': object<CommandOf<'move-cancel'>>({ type: oneOf('move-cancel'), moves }),
};

const commandType = oneOf(...(Object.keys(COMMANDS) as TopologyCommand['type'][]));

export const readCommand: Reader<TopologyCommand> = (value, path) => {
  const type = commandType(asRecord(value, path).type, `${path}.type`);
  return withoutNoRespAddress(COMMANDS[type](value, path));
};

/** Where nothing is served to clients of Redis there is no such field, neither in the value nor in its bytes. */
function withoutNoRespAddress<T extends object>(value: T): T {
  if (!('respAddress' in value) || value.respAddress !== undefined) return value;
  const { respAddress: _, ...others } = value;
  return others as T;
}

/**
 * The state with its maps as lists, members by number and namespaces by id. What format 2 brought is not there while it says nothing,
 * so that such a state has the bytes that it always had.
 */
export type WireState = Omit<TopologyState, 'members' | 'namespaces' | keyof Since2> & {
  readonly members: readonly WireMember[];
  readonly namespaces: readonly TopologyNamespace[];
} & { readonly [K in keyof Since2]: TopologyState[K] | undefined };
type Since2 = Pick<TopologyState, 'operations' | 'stopLeases'>;

/** The mark of a drain is there or not, so that a member without it has the bytes that it always had. */
type WireMember = Omit<Member, 'isDraining'> & { readonly isDraining: true | undefined };
export const toWireMember = (one: Member): WireMember => ({
  ...one,
  isDraining: one.isDraining || undefined,
});
export const ofWireMember = (one: WireMember): Member =>
  withoutNoRespAddress({ ...one, isDraining: one.isDraining === true });

const member = object<WireMember>({
  number: memberNumber,
  name: dnsLabel,
  directoryId: someText,
  incarnation: whole(0),
  life: anyText,
  state: oneOf('waiting', 'up'),
  weight,
  ...announcement,
  isDraining: optional(isTrue),
  zoneReplaced: optional(zone),
});

const readOperation = object<Operation>({
  id: operationId,
  want: ofType<OperationWant>({
    ...WANTS,
    factor: object({ type: oneOf('factor'), replicationFactor, previous: replicationFactor }),
  }),
  by: requester,
  atMs,
  partitions: partitionCount,
  state: oneOf('running', 'done', 'cancelled'),
  holdsBack: isBoolean,
  endedAtMs: optional(atMs),
});

const of = { session, to: replicas };
const synced = list(object<Synced>({ member: memberNumber, sources: replicas }), LIMITS.replicationFactorMax);
const MOVES: { readonly [S in MoveStage]: Reader<MoveIn<S>> } = {
  joint: object<MoveIn<'joint'>>({ stage: oneOf('joint'), ...of, entered: replicas }),
  transfer: object<MoveIn<'transfer'>>({
    ...{ stage: oneOf('transfer'), ...of, confirmed: replicas, sources: replicas, synced },
  }),
  switch: object<MoveIn<'switch'>>({ stage: oneOf('switch'), ...of, confirmed: replicas }),
};
const stageName = oneOf('joint', 'transfer', 'switch');
const readMove: Reader<Move> = (value, path) =>
  MOVES[stageName(asRecord(value, path).stage, `${path}.stage`)](value, path);

const stillOrMoving = object<Partition & { readonly move: Move | undefined }>({
  ...{ epoch, replicas, move: optional(readMove) },
});
/** Without a move there is no such field, neither in the value nor in its bytes. */
const readPartition: Reader<Partition> = (value, path) => {
  const { move, ...still } = stillOrMoving(value, path);
  return move === undefined ? still : { ...still, move };
};

export const readState = object<WireState>({
  clusterId: text(32, /^[0-9a-f]{32}$/, '32 hexadecimal digits'),
  epoch,
  settings: object<TopologySettings>({
    partitions: whole(1, LIMITS.partitionsMax),
    replicationFactor,
  }),
  nextMember: whole(1, LIMITS.memberNumberMax + 1),
  nextNamespaceId: whole(1),
  members: list(member, LIMITS.membersMax),
  namespaces: list(
    object<TopologyNamespace>({
      name: dnsLabel,
      id: whole(1),
      consistency: oneOf('quorum'),
      createdAtMs: whole(0),
    }),
    LIMITS.namespacesMax,
  ),
  partitions: list(readPartition, LIMITS.partitionsMax),
  operations: optional(list(readOperation, LIMITS.operationsMax)),
  stopLeases: optional(list(object<StopLease>({ member: memberNumber, untilMs: atMs }), LIMITS.membersMax)),
});
