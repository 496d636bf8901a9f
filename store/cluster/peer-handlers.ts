import type { MemberId } from '../core/raft/types.ts';
import { judgeHello, type KnownMember } from '../peer/judge-hello.ts';
import type { Hello, HelloRefusal, PeerMessage, PeerReply, PeerRequest } from '../peer/messages.ts';
import { PROTOCOL_VERSION } from '../peer/messages.ts';
import type { TransportHandlers } from '../ports/transport.ts';
import { ClusterError } from './cluster-admin.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { Member } from './member.ts';

type JoinRequest = Extract<PeerRequest, { readonly type: 'join' }>;

/** What a node says and answers on its links. */
export function peerHandlers(node: ClusterNode): TransportHandlers {
  return {
    hello: () => helloOf(node),
    judge: (hello) => judge(node, hello),
    onMessage: (from, message) => receive(node, from, message),
    onRequest: (from, request, signal) => answer(node, from, request, signal),
    onLink: (peer) => node.onLink(peer),
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
      ? { number: identity.member, incarnation: identity.incarnation, life: node.life }
      : undefined,
  };
}

function judge(node: ClusterNode, hello: Hello): HelloRefusal | undefined {
  return judgeHello({ ...helloOf(node), life: node.life }, hello, (number) => knownMember(node.member, number));
}

/** What the topology that this node has applied says of a number. */
function knownMember(member: Member | undefined, number: MemberId): KnownMember {
  const state = member?.topology.state;
  const known = state?.members.get(number);
  if (known !== undefined) return { type: 'member', ...known };
  return state !== undefined && number < state.nextMember ? { type: 'removed' } : { type: 'unknown' };
}

function receive({ member }: ClusterNode, from: Hello, message: PeerMessage): void {
  if (member === undefined) return;
  switch (message.type) {
    case 'raft':
      member.onRaft(from, message.message);
      return;
    case 'gossip':
      member.onGossip(from, message.packet);
      return;
  }
}

async function answer(
  node: ClusterNode,
  _from: Hello,
  request: PeerRequest,
  signal: AbortSignal,
): Promise<PeerReply> {
  if (request.type === 'who') return who(node);
  const { member } = node;
  if (member === undefined) return { type: 'busy', message: `this node is of no cluster (${node.phase.type})` };
  switch (request.type) {
    case 'join':
      return answerJoin(member, request);
    case 'propose':
      return member.calls.proposeHere(request.command);
    case 'transfer-leadership':
      return answerTransfer(member, request.to, signal);
  }
}

function who({ member }: ClusterNode): PeerReply {
  if (member === undefined) return { type: 'who', clusterId: undefined, leader: undefined, addresses: [] };
  const { driver, options, gossip } = member;
  const address = driver.isLeader ? options.announcement.peerAddress : member.leaderAddress();
  return {
    type: 'who',
    clusterId: options.identity.clusterId,
    leader: driver.leader === undefined || address === undefined ? undefined : { member: driver.leader, address },
    addresses: [...gossip.view.values()].filter(({ liveness }) => liveness === 'alive').map((each) => each.address),
  };
}

/**
 * A known name with another directory is a replacement, and only of a member that is down: two live nodes of one name are
 * a mistake in somebody's configuration.
 */
async function answerJoin(member: Member, { type: _, clusterId, ...request }: JoinRequest): Promise<PeerReply> {
  const { options, driver, topology, gossip, calls } = member;
  if (clusterId !== options.identity.clusterId)
    return { type: 'busy', message: `this is the cluster ${options.identity.clusterId}, not ${clusterId}` };
  const { state } = topology;
  if (!driver.isLeader || state === undefined) return calls.notLeader();
  const owner = [...state.members.values()].find(({ name }) => name === request.name);
  const isOther = owner !== undefined && owner.directoryId !== request.directoryId;
  const liveness = owner === undefined ? undefined : gossip.view.get(owner.number)?.liveness;
  const isDown = liveness === 'dead' || liveness === 'left';
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
  const { partitions } = state.settings;
  return { type: 'joined', member: reply.subject, partitions, epoch: reply.epoch };
}

async function answerTransfer(member: Member, to: MemberId | undefined, signal: AbortSignal): Promise<PeerReply> {
  if (!member.driver.isLeader) return member.calls.notLeader();
  try {
    const leader = await member.transferLeadership(to, signal);
    return { type: 'done', epoch: member.topology.epoch, subject: leader };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return { type: 'transfer-refused', message: error.message };
  }
}
