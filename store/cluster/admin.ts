import { canStop } from '../core/moves/can-stop.ts';
import { operationsOf } from '../core/moves/operations.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { TopologyCommand } from '../core/topology/command.ts';
import type { Member as TopologyMember, TopologyState } from '../core/topology/types.ts';
import type { Clock } from '../ports/clock.ts';
import {
  type ChangeResult,
  type ClusterAdmin,
  ClusterError,
  type ClusterStatus,
  type OperationList,
} from './cluster-admin.ts';
import type { ClusterNode } from './cluster-node.ts';
import { membersOfView, type NodeView, statusOfMember, statusWithoutCluster } from './cluster-status.ts';
import type { Member } from './member.ts';

/** The cluster as the interfaces of `node` see it. */
export function createClusterAdmin(node: ClusterNode, deps: { readonly clock: Clock }): ClusterAdmin {
  const propose = (command: TopologyCommand, signal: AbortSignal): Promise<ChangeResult> =>
    requireMember(node).calls.propose(command, signal);

  return {
    status: () => statusOf(node),
    members: () => (node.member === undefined ? [] : membersOfView(node.member)),
    async readTopology(consistency, signal) {
      const member = requireMember(node);
      if (consistency === 'linearizable') await member.readBarrier(signal);
      return requireState(member);
    },
    async waitForEpoch(after, signal) {
      const member = requireMember(node);
      await member.topology.waitFor((epoch) => epoch > after, signal);
      return requireState(member);
    },
    bootstrap: (request) => node.bootstrap(request),
    async removeMember(name, signal) {
      const member = requireMember(node);
      const { number } = await findMember(member, name, signal);
      return propose({ type: 'remove-member', member: number }, signal);
    },
    async updateMember(name, { weight }, signal) {
      const member = requireMember(node);
      const known = memberOfName(member, name);
      const update = (number: MemberId): Promise<ChangeResult> =>
        propose({ type: 'update-member', member: number, weight }, signal);
      // To a number that is no member's any more it is refused: only then the newest topology is worth a round.
      if (known !== undefined) {
        try {
          return await update(known.number);
        } catch (error) {
          if (!(error instanceof ClusterError) || error.code !== 'MEMBER_NOT_FOUND') throw error;
        }
      }
      return update((await findMember(member, name, signal)).number);
    },
    async drain(name, signal) {
      const member = requireMember(node);
      const { number } = await findMember(member, name, signal);
      return propose({ type: 'drain-start', expectedEpoch: undefined, member: number }, signal);
    },
    async cancelDrain(name, signal) {
      const member = requireMember(node);
      const { number } = await findMember(member, name, signal);
      return propose({ type: 'drain-cancel', member: number }, signal);
    },
    operations: () => operationList(requireMember(node)),
    canStop(name) {
      const member = requireMember(node);
      const state = requireState(member);
      const { voters } = member.driver.status().configuration;
      return canStop(state, requireNamed(member, name).number, { ...member.moveFacts(state), voters });
    },
    async transferLeadership(to, signal) {
      const member = requireMember(node);
      const target = to === undefined ? undefined : (await findMember(member, to, signal)).number;
      const { subject } = await member.calls.transferLeadership(target, signal);
      const leader = requireState(member).members.get(subject)?.name ?? `member-${subject}`;
      return { leader };
    },
    createNamespace: (name, signal) =>
      propose({ type: 'create-namespace', name, createdAtMs: deps.clock.nowMs() }, signal),
    dropNamespace: (name, id, signal) => propose({ type: 'drop-namespace', name, id }, signal),
  };
}

function statusOf(node: ClusterNode): ClusterStatus {
  const { phase } = node;
  const view = (reason: string | undefined): NodeView => ({
    name: node.options.name,
    state: phase.type,
    reason,
  });
  switch (phase.type) {
    case 'member':
      return statusOfMember(phase.member, view(undefined));
    case 'waiting':
      return statusWithoutCluster(view(phase.reason), undefined);
    case 'joining':
    case 'excluded':
      return statusWithoutCluster(view(phase.reason), phase.clusterId);
  }
}

function operationList(member: Member): OperationList {
  const state = requireState(member);
  const facts = member.moveFacts(state);
  const operations = operationsOf(state, facts).map((operation) => ({
    ...operation,
    member: operation.member === undefined ? undefined : facts.nameOf(operation.member),
  }));
  return { epoch: state.epoch, operations };
}

function requireMember(node: ClusterNode): Member {
  const { phase } = node;
  switch (phase.type) {
    case 'member':
      return phase.member;
    case 'waiting':
    case 'joining':
      throw new ClusterError('CLUSTER_WAITING', `this node is of no cluster yet: ${phase.reason}`);
    case 'excluded':
      throw new ClusterError('MEMBER_EXCLUDED', phase.reason);
  }
}

function requireState(member: Member): TopologyState {
  const { state } = member.topology;
  if (state === undefined)
    throw new ClusterError('CLUSTER_WAITING', 'the topology has not arrived at this node yet; try again');
  return state;
}

/**
 * By name, as of now: a name may be another member's since it was replaced, and a change to the old one would be
 * acknowledged and not made.
 */
async function findMember(member: Member, name: string, signal: AbortSignal): Promise<TopologyMember> {
  await member.readBarrier(signal);
  return requireNamed(member, name);
}

function requireNamed(member: Member, name: string): TopologyMember {
  const found = memberOfName(member, name);
  if (found === undefined) throw new ClusterError('MEMBER_NOT_FOUND', `there is no member '${name}'`);
  return found;
}

function memberOfName(member: Member, name: string): TopologyMember | undefined {
  return [...requireState(member).members.values()].find((each) => each.name === name);
}
