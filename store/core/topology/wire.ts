import type { CommandOf, TopologyCommand } from './command.ts';
import { LIMITS } from './limits.ts';
import { asRecord, list, object, oneOf, optional, type Reader, text, whole } from './shape.ts';
import type {
  Epoch,
  Member,
  Partition,
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
const address = text(LIMITS.addressCharactersMax, /^\S+:\d{1,5}$/, 'host:port');
const anyText = text(LIMITS.textCharactersMax);
const someText = text(LIMITS.textCharactersMax, /./, 'not empty');
const memberNumber = whole(1, LIMITS.memberNumberMax);
const epoch = whole<Epoch>(0);
const weight = whole(1, LIMITS.weightMax);
const replicas = list(memberNumber, LIMITS.replicationFactorMax);

const announcement = {
  peerAddress: address,
  httpAddress: address,
  zone: text(LIMITS.zoneCharactersMax),
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
    weight,
  }),
  'remove-member': object<CommandOf<'remove-member'>>({ type: oneOf('remove-member'), member: memberNumber }),
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
};

const commandType = oneOf(...(Object.keys(COMMANDS) as TopologyCommand['type'][]));

export const readCommand: Reader<TopologyCommand> = (value, path) => {
  const type = commandType(asRecord(value, path).type, `${path}.type`);
  return COMMANDS[type](value, path);
};

/** The state with its maps as lists, members by number and namespaces by id. */
export type WireState = Omit<TopologyState, 'members' | 'namespaces'> & {
  readonly members: readonly Member[];
  readonly namespaces: readonly TopologyNamespace[];
};

const member = object<Member>({
  number: memberNumber,
  name: dnsLabel,
  directoryId: someText,
  incarnation: whole(0),
  life: anyText,
  state: oneOf('waiting', 'up'),
  weight,
  ...announcement,
});

export const readState = object<WireState>({
  clusterId: text(32, /^[0-9a-f]{32}$/, '32 hexadecimal digits'),
  epoch,
  settings: object<TopologySettings>({
    partitions: whole(1, LIMITS.partitionsMax),
    replicationFactor: whole(1, LIMITS.replicationFactorMax),
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
  partitions: list(object<Partition>({ epoch, replicas }), LIMITS.partitionsMax),
});
