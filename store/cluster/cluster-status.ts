import { isUp, type Liveness } from '../core/gossip/messages.ts';
import { isVoter } from '../core/raft/configuration.ts';
import type { MemberId } from '../core/raft/types.ts';
import { memberName } from '../core/topology/members.ts';
import { type Epoch, type Member as TopologyMember, toEpoch } from '../core/topology/types.ts';
import type { ClusterStatus, MemberView, NodeState, QuorumStatus } from './cluster-admin.ts';
import type { Member } from './member.ts';

export type NodeView = {
  readonly name: string;
  readonly state: NodeState;
  readonly reason: string | undefined;
};

/** The cluster as a node without a member's part sees it. */
export function statusWithoutCluster(node: NodeView, clusterId: string | undefined): ClusterStatus {
  return {
    node: { ...node, member: undefined, incarnation: undefined, role: undefined, isVoter: false },
    clusterId,
    epoch: toEpoch(0),
    leader: undefined,
    term: 0,
    commitIndex: 0,
    appliedIndex: 0,
    quorum: { state: 'none', voters: [], needed: 0, missing: [], reason: node.reason },
    members: { total: 0, alive: 0, suspect: 0, dead: 0 },
  };
}

/** The cluster as a member sees it now, from what it has applied and heard. */
export function statusOfMember(member: Member, node: NodeView): ClusterStatus {
  const { driver, topology, options } = member;
  const { role, term, leader, commit, applied, configuration } = driver.status();
  const liveness = [...(topology.state?.members.keys() ?? [])].map((number) => livenessOf(member, number));
  const count = (wanted: Liveness): number => liveness.filter((each) => each === wanted).length;
  return {
    node: {
      ...node,
      member: member.number,
      incarnation: options.identity.incarnation,
      role,
      isVoter: isVoter(configuration, member.number),
    },
    clusterId: options.identity.clusterId,
    epoch: topology.epoch,
    leader: leader === undefined ? undefined : { member: leader, name: memberName(topology.state, leader) },
    term,
    commitIndex: commit,
    appliedIndex: applied,
    quorum: quorumOf(member),
    members: {
      total: liveness.length,
      alive: count('alive'),
      suspect: count('suspect'),
      dead: count('dead') + count('left'),
    },
  };
}

export function membersOfView(member: Member): MemberView[] {
  const { topology, driver, gossip } = member;
  const { configuration, leader } = driver.status();
  return [...(topology.state?.members.values() ?? [])].map((each) => ({
    ...each,
    liveness: livenessOf(member, each.number),
    address: addressOf(member, each),
    appliedEpoch: epochOf(member, each.number),
    isVoter: isVoter(configuration, each.number),
    isLeader: leader === each.number,
    load: gossip.view.get(each.number)?.rumour.load ?? 0,
  }));
}

/** Whether the topology can be changed, as far as this member can tell; also what `/readyz` says. */
export function quorumOf(member: Member): QuorumStatus {
  const { voters: numbers, votersOutgoing } = member.driver.status().configuration;
  const voters = numbers.map((number) => ({
    member: number,
    name: memberName(member.topology.state, number),
    liveness: livenessOf(member, number),
  }));
  const missing = voters.filter(({ liveness }) => !isUp(liveness)).map(({ name }) => name);
  const needed = Math.floor(voters.length / 2) + 1;
  const quorum = { voters, needed, missing };
  const alive = voters.length - missing.length;
  const leaderlessMs = member.leaderlessForMs();
  const isLeaderless = leaderlessMs > 3 * member.options.electionTimeoutMs;
  const outgoingAlive = votersOutgoing.filter((each) => isUp(livenessOf(member, each))).length;
  const isOutgoingLost = votersOutgoing.length > 0 && outgoingAlive <= votersOutgoing.length / 2;
  if (voters.length === 0)
    return { ...quorum, state: 'none', reason: 'the log of the cluster has not arrived yet' };
  if (isOutgoingLost)
    return {
      ...quorum,
      state: 'lost',
      reason: outgoingReason(votersOutgoing.map((each) => memberName(member.topology.state, each))),
    };
  if (alive < needed)
    return { ...quorum, state: 'lost', reason: lostReason(alive, voters.length, needed, missing) };
  if (isLeaderless) {
    const seconds = Math.round(leaderlessMs / 1000);
    return {
      ...quorum,
      state: 'lost',
      reason: `no leader for ${seconds} s: a majority of the voters does not reach each other, or does not reach this node. Where it is gone for good, see \`kvorum cluster recover\``,
    };
  }
  if (missing.length > 0) {
    const reason = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} down`;
    return { ...quorum, state: 'degraded', reason };
  }
  if (leaderlessMs > 0) return { ...quorum, state: 'degraded', reason: 'a leader is being elected' };
  if (votersOutgoing.length > 0)
    return {
      ...quorum,
      state: 'degraded',
      reason: 'the voters are being changed: those before must agree too',
    };
  return { ...quorum, state: 'ok', reason: undefined };
}

/** In joint consensus both majorities decide (thesis 4.3). */
function outgoingReason(outgoing: readonly string[]): string {
  return (
    `the voters are being changed, and most of those before (${outgoing.join(', ')}) are down, who must agree too. ` +
    'Bring them back; where that cannot be, see `kvorum cluster recover`'
  );
}

function lostReason(alive: number, voters: number, needed: number, missing: readonly string[]): string {
  return (
    `the majority of the voters is lost: ${alive} of ${voters} are up and ${needed} are needed; down: ${missing.join(', ')}. ` +
    'Bring one of them back; where that cannot be, see `kvorum cluster recover`'
  );
}

function livenessOf(member: Member, number: MemberId): Liveness {
  if (number === member.number) return 'alive';
  return member.gossip.view.get(number)?.rumour.liveness ?? 'alive';
}

function addressOf(member: Member, { number, peerAddress }: TopologyMember): string {
  if (number === member.number) return member.options.announcement.peerAddress;
  return member.gossip.view.get(number)?.rumour.address ?? peerAddress;
}

function epochOf(member: Member, number: MemberId): Epoch {
  if (number === member.number) return member.topology.epoch;
  return member.gossip.view.get(number)?.rumour.epoch ?? toEpoch(0);
}
