import type { MoveFacts } from '../core/moves/next-step.ts';
import { partitionsToMove } from '../core/moves/operations.ts';
import { progressOf } from '../core/moves/progress.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { RequestedWant, TopologyCommand } from '../core/topology/command.ts';
import { memberName } from '../core/topology/members.ts';
import { operationName } from '../core/topology/operations.ts';
import type { Member as TopologyMember, TopologyState } from '../core/topology/types.ts';
import type { MemberReport } from '../peer/data-messages.ts';
import {
  type ChangeResult,
  type ClusterAdmin,
  ClusterError,
  type ClusterStatus,
  type OperationRequest,
  type OperationView,
} from './cluster-admin.ts';
import type { ClusterNode } from './cluster-node.ts';
import { membersOfView, type NodeView, statusOfMember, statusWithoutCluster } from './cluster-status.ts';
import type { Member } from './member.ts';
import { startOf } from './move-driver.ts';
import { memberOfName, requireNamed, requireState } from './named.ts';
import { operationList } from './operation-list.ts';
import { refuseWithoutSpace } from './refuse-without-space.ts';
import { askToStop, type StopQuestionOptions } from './stop-question.ts';

export type ClusterAdminDeps = Omit<StopQuestionOptions, 'isLookOnly'> & {
  /** `storage.reserveBytes` */
  readonly reserveBytes: () => number;
};

/** The cluster as the interfaces of `node` see it. */
export function createClusterAdmin(node: ClusterNode, deps: ClusterAdminDeps): ClusterAdmin {
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
    async updateMember(name, { weight, zone }, signal) {
      const member = requireMember(node);
      const known = memberOfName(requireState(member), name);
      const update = (number: MemberId): Promise<ChangeResult> =>
        propose({ type: 'update-member', member: number, weight, zone }, signal);
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
    async startOperation(request, signal) {
      const member = requireMember(node);
      await member.readBarrier(signal);
      const state = requireState(member);
      const command = startOf(wantOf(state, request), {
        ...{ state, facts: member.moveFacts(state), atMs: deps.clock.nowMs() },
      });
      const isForced = request.force === true;
      const asked = { ...command, isForced, by: request.by };
      if (!isForced) {
        const reports = await deps.reports();
        const factsOf = (after: TopologyState): MoveFacts => member.moveFacts(after);
        refuseWithoutSpace(requireState(member), asked, {
          ...{ factsOf, reports, reserveBytes: deps.reserveBytes() },
        });
      }
      const { epoch, subject } = await propose(asked, signal);
      const operation = subject === 0 ? undefined : `${request.type}-${subject}`;
      return { epoch, operation };
    },
    cancelOperation: (id, signal) =>
      propose({ type: 'operation-cancel', id, atMs: deps.clock.nowMs() }, signal),
    operations() {
      const member = requireMember(node);
      const state = requireState(member);
      return operationList(state, member.moveFacts(state));
    },
    async operationProgress(operations) {
      // Only those that run have progress, and asking for it is a question to every member.
      if (!operations.some(({ state }) => state === 'running')) return operations;
      const reports = await deps.reports();
      return operations.map((operation) => withProgress(requireMember(node), operation, reports));
    },
    canStop: (name, options, signal) => askToStop(requireMember(node), name, { ...options, ...deps }, signal),
    async transferLeadership(to, signal) {
      const member = requireMember(node);
      const target = to === undefined ? undefined : (await findMember(member, to, signal)).number;
      const { subject } = await member.calls.transferLeadership(target, signal);
      const leader = memberName(requireState(member), subject);
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

/** Bytes are those of the copies that the operation makes, as far as the members say. */
function withProgress(
  member: Member,
  operation: OperationView,
  reports: ReadonlyMap<MemberId, MemberReport>,
): OperationView {
  const state = requireState(member);
  const record = state.operations.find((one) => operationName(one) === operation.id);
  if (record?.state !== 'running' || reports.size === 0) return operation;
  const left = new Set(partitionsToMove(state, member.moveFacts(state), record));
  const numbers = [...state.partitions.keys()];
  const isDone = (partition: number): boolean => !left.has(partition);
  return { ...operation, ...progressOf({ numbers, isDone, since: record.id }, state.partitions, reports) };
}

function wantOf(state: TopologyState, request: OperationRequest): RequestedWant {
  switch (request.type) {
    case 'rebalance':
      return { type: 'rebalance' };
    case 'factor':
      return { type: 'factor', replicationFactor: request.replicationFactor };
    case 'drain':
    case 'replace':
      return { type: request.type, member: requireNamed(state, request.member).number };
  }
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

/**
 * By name, as of now: a name may be another member's since it was replaced, and a change to the old one would be
 * acknowledged and not made.
 */
async function findMember(member: Member, name: string, signal: AbortSignal): Promise<TopologyMember> {
  await member.readBarrier(signal);
  return requireNamed(requireState(member), name);
}
