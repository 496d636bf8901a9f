import { isUp } from '../core/gossip/messages.ts';
import { isMember } from '../core/raft/configuration.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { DataReply, DataRequest } from '../peer/data-messages.ts';
import { judgeHello, type KnownMember } from '../peer/judge-hello.ts';
import type { Hello, HelloRefusal, PeerMessage, PeerReply, PeerRequest } from '../peer/messages.ts';
import { PROTOCOL_VERSION } from '../peer/messages.ts';
import type { TransportHandlers } from '../ports/transport.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { Member } from './member.ts';

type JoinRequest = Extract<PeerRequest, { readonly type: 'join' }>;

/** The data of this node as other members ask for it. */
export type DataPeersService = {
  /** Throws ProtocolError for what is no batch. */
  onBatch(from: Hello, batch: Uint8Array): void;
  answer(from: Hello, request: DataRequest, signal: AbortSignal): Promise<DataReply>;
  onUnlink(address: string): void;
};

/** Who serves data to other members at the moment. */
export type DataPeersOf = () => DataPeersService | undefined;

/** What a node says and answers on its links. */
export function peerHandlers(node: ClusterNode, data: DataPeersOf): TransportHandlers {
  return {
    hello: () => helloOf(node),
    judge: (hello) => judge(node, hello),
    onMessage: (from, message) => receive(node, data, from, message),
    onRequest: (from, request, signal) => answer(node, data, from, request, signal),
    onLink: (peer) => node.onLink(peer),
    onUnlink: (address) => data()?.onUnlink(address),
    onRefused: (address, by, refusal, peer) => node.onRefused(address, by, refusal, peer),
  };
}

function helloOf(node: ClusterNode): Hello {
  const { name, announcement } = node.options;
  const { identity, directoryId } = node.directory;
  const isMember = identity !== undefined && node.phase.type === 'member';
  return {
    protocolMin: PROTOCOL_VERSION,
    protocolMax: PROTOCOL_VERSION,
    name,
    directoryId,
    peerAddress: node.announcement().peerAddress,
    version: announcement.version,
    clusterId: isMember ? identity.clusterId : undefined,
    member: isMember
      ? { number: identity.member, incarnation: identity.incarnation, lives: identity.lives }
      : undefined,
  };
}

function judge(node: ClusterNode, hello: Hello): HelloRefusal | undefined {
  const known: KnownMember =
    hello.member === undefined ? { type: 'unknown' } : knownMember(node.member, hello.member.number);
  return judgeHello(helloOf(node), hello, known);
}

/** What the topology that this node has applied says of a number. */
function knownMember(member: Member | undefined, number: MemberId): KnownMember {
  const state = member?.topology.state;
  const known = state?.members.get(number);
  if (known !== undefined) return { type: 'member', ...known };
  if (member === undefined || state === undefined || number >= state.nextMember) return { type: 'unknown' };
  // A removed voter still votes while the configuration has it.
  return isMember(member.driver.status().configuration, number) ? { type: 'unknown' } : { type: 'removed' };
}

function receive({ member }: ClusterNode, data: DataPeersOf, from: Hello, message: PeerMessage): void {
  if (member === undefined) return;
  switch (message.type) {
    case 'raft':
      member.onRaft(from, message.message);
      return;
    case 'gossip':
      member.onGossip(from, message.packet);
      return;
    case 'replica':
      if (member.isPeer(from)) data()?.onBatch(from, message.batch);
      return;
  }
}

async function answer(
  node: ClusterNode,
  data: DataPeersOf,
  from: Hello,
  request: PeerRequest,
  signal: AbortSignal,
): Promise<PeerReply> {
  const { member } = node;
  const noMember: PeerReply = { type: 'busy', message: `this node is of no cluster (${node.phase.type})` };
  switch (request.type) {
    case 'who':
      return who(member, judge(node, from));
    case 'join':
      return member === undefined ? noMember : answerJoin(member, request);
    case 'propose':
      return member?.calls.proposeHere(request.command) ?? noMember;
    case 'transfer-leadership':
      return member?.transferHere(request.to, signal) ?? noMember;
    case 'data':
      return answerData(member, data, from, request.request, signal);
  }
}

async function answerData(
  member: Member | undefined,
  data: DataPeersOf,
  from: Hello,
  request: DataRequest,
  signal: AbortSignal,
): Promise<PeerReply> {
  const service = member?.isPeer(from) === true ? data() : undefined;
  if (service === undefined) return { type: 'busy', message: 'this node serves no data to that node now' };
  return { type: 'data', reply: await service.answer(from, request, signal) };
}

function who(member: Member | undefined, refusal: HelloRefusal | undefined): PeerReply {
  if (member === undefined)
    return { type: 'who', clusterId: undefined, leader: undefined, addresses: [], refusal };
  const { driver, options, gossip } = member;
  const address = driver.isLeader ? options.announcement.peerAddress : member.leaderAddress();
  return {
    type: 'who',
    clusterId: options.identity.clusterId,
    leader:
      driver.leader === undefined || address === undefined ? undefined : { member: driver.leader, address },
    addresses: [...gossip.view.values()]
      .map(({ rumour }) => rumour)
      .filter(({ liveness }) => liveness === 'alive')
      .map(({ address }) => address),
    refusal,
  };
}

/**
 * A known name with another directory is a replacement, and only of a member that is down: two live nodes of one name are
 * a mistake in somebody's configuration.
 */
async function answerJoin(
  member: Member,
  { type: _, clusterId, ...request }: JoinRequest,
): Promise<PeerReply> {
  const { options, driver, topology, gossip, calls } = member;
  if (clusterId !== options.identity.clusterId)
    return { type: 'busy', message: `this is the cluster ${options.identity.clusterId}, not ${clusterId}` };
  const { state } = topology;
  if (!driver.isLeader || state === undefined) return calls.notLeader();
  const owner = [...state.members.values()].find(({ name }) => name === request.name);
  const isOther = owner !== undefined && owner.directoryId !== request.directoryId;
  const liveness = owner === undefined ? undefined : gossip.view.get(owner.number)?.rumour.liveness;
  const isDown = liveness !== undefined && !isUp(liveness);
  if (isOther && !isDown)
    return {
      type: 'refused',
      code: 'NAME_TAKEN',
      message:
        `member ${owner.number} has the name '${request.name}' and is alive at ${owner.peerAddress}; ` +
        'give this node another name, or stop that one: once it is seen to be down this node takes its place',
    };
  const replaces = isOther ? owner.number : undefined;
  const reply = await calls.proposeHere({ type: 'join', ...request, replaces });
  if (reply.type !== 'done') return reply;
  if (topology.state?.members.get(reply.subject)?.state === 'up')
    return livedBefore(request.name, reply.subject);
  const { partitions } = state.settings;
  return { type: 'joined', member: reply.subject, partitions, epoch: reply.epoch };
}

/** A member knows its number before it starts: who asks again with that directory runs on an older copy of it. */
function livedBefore(name: string, number: MemberId): PeerReply {
  const message =
    `the data directory of ${name} was that of member ${number}, which has started, and does not know it: it is an ` +
    'older copy, and has lost promises that it made';
  return { type: 'refused', code: 'MEMBER_STALE', message };
}
