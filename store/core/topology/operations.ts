import { isOwner } from '../moves/rules.ts';
import type { MemberId } from '../raft/types.ts';
import type { ApplyOutcome, CommandOf, RequestedWant } from './command.ts';
import { LIMITS } from './limits.ts';
import { ownsData, refuseUnknown, removalOf, removalProblem, withMember } from './members.ts';
import { applied, refused, unchanged } from './outcome.ts';
import { receivers } from './shares.ts';
import { type Epoch, type Member, type Operation, type TopologyState, toEpoch } from './types.ts';

/**
 * What is asked of the data as a whole: drains, replacements, rebalances and another replication factor. A command only says what is
 * wanted; the moves follow from that (docs/moves.md). Refused at once where it could never end.
 */
export function applyOperationStart(
  state: TopologyState,
  command: CommandOf<'operation-start'>,
): ApplyOutcome {
  const { want } = command;
  const same = state.operations.find((operation) => isRunning(operation) && isSameWant(operation, want));
  if (same !== undefined) return unchanged(state, same.id);
  switch (want.type) {
    case 'drain':
      return startDrain(state, command, want.member);
    case 'replace':
      return startReplace(state, command, want.member);
    case 'rebalance':
      return begun(state, command, {});
    case 'factor':
      return startFactor(state, command, want.replicationFactor);
  }
}

/** Ends it and leaves what has moved where it is. Moves under way go back as far as they can. */
export function applyOperationCancel(
  state: TopologyState,
  { id, atMs }: CommandOf<'operation-cancel'>,
): ApplyOutcome {
  const operation = state.operations.find((one) => one.id === id);
  if (operation === undefined) return refuseNoOperation(state, id);
  if (operation.state === 'cancelled') return unchanged(state, id);
  const name = operationName(operation);
  if (operation.state === 'done')
    return refused(state, 'OPERATION_NOT_CANCELLABLE', `${name} is done: there is nothing left to cancel.`);
  const operations = ended(state, operation, 'cancelled', atMs);
  const { want } = operation;
  switch (want.type) {
    case 'rebalance':
      return applied(
        state,
        { operations: operations.map((one) => ({ ...one, holdsBack: one.id === id || one.holdsBack })) },
        id,
      );
    case 'factor':
      return cancelFactor(state, operations, operation, want.previous);
    case 'drain':
    case 'replace': {
      const member = state.members.get(want.member);
      if (member !== undefined && want.type === 'replace') return applied(state, { operations }, id);
      if (member !== undefined)
        return applied(
          state,
          { operations, members: withMember(state, { ...member, isDraining: false }) },
          id,
        );
      const why = `the number ${want.member} is retired, and nobody can be that member again`;
      return refused(state, 'OPERATION_NOT_CANCELLABLE', `${name} cannot be cancelled: ${why}.`);
    }
  }
}

/** The leader found that all is done. With the data of a member goes the member. */
export function applyOperationEnd(
  state: TopologyState,
  { id, atMs }: CommandOf<'operation-end'>,
): ApplyOutcome {
  const operation = state.operations.find((one) => one.id === id);
  if (operation === undefined) return refuseNoOperation(state, id);
  if (!isRunning(operation)) return unchanged(state, id);
  const { want } = operation;
  const operations = ended(state, operation, 'done', atMs);
  if (want.type === 'rebalance' || want.type === 'factor') return applied(state, { operations }, id);
  if (ownsData(state, want.member)) {
    const still = `${operationName(operation)} is not done: member ${want.member} owns partitions still.`;
    return refused(state, 'MEMBER_OWNS_DATA', `${still} Move them first.`);
  }
  const member = state.members.get(want.member);
  if (member === undefined) return applied(state, { operations }, id);
  const problem = removalProblem(state, member);
  if (problem !== undefined) return refused(state, problem.code, problem.message);
  const removal = removalOf(state, member.number, atMs);
  return applied(state, { ...removal, operations: kept(removal.operations) }, id);
}

/** As it is listed: `drain-17`. */
export function operationName({ id, want }: Pick<Operation, 'id' | 'want'>): string {
  return `${want.type}-${id}`;
}

export function isRunning({ state }: Operation): boolean {
  return state === 'running';
}

/** A member that takes over the name of `old` is drained in its place. */
export function withDrainsOf(
  operations: readonly Operation[],
  old: MemberId,
  member: MemberId,
): readonly Operation[] {
  return operations.map((operation) =>
    isRunning(operation) && operation.want.type === 'drain' && operation.want.member === old
      ? { ...operation, want: { type: 'drain', member } }
      : operation,
  );
}

function startDrain(
  state: TopologyState,
  command: CommandOf<'operation-start'>,
  number: MemberId,
): ApplyOutcome {
  const member = state.members.get(number);
  if (member === undefined) return refuseUnknown(state, number);
  const problem = tooFewWithout(state, number, 'drained') ?? tooFewZones(state, command, number);
  if (problem !== undefined) return problem;
  return begun(state, command, { members: withMember(state, { ...member, isDraining: true }) });
}

function startReplace(
  state: TopologyState,
  command: CommandOf<'operation-start'>,
  number: MemberId,
): ApplyOutcome {
  const isRetired = !state.members.has(number);
  if (isRetired && !state.partitions.some((partition) => isOwner(partition, number)))
    return refuseUnknown(state, number);
  const problem = tooFewWithout(state, number, 'replaced') ?? tooFewZones(state, command, number);
  if (problem !== undefined) return problem;
  return begun(state, command, {});
}

function startFactor(
  state: TopologyState,
  command: CommandOf<'operation-start'>,
  replicationFactor: number,
): ApplyOutcome {
  const { settings } = state;
  if (replicationFactor === settings.replicationFactor) return unchanged(state, 0);
  const problem = factorProblem(state, replicationFactor);
  if (problem !== undefined) return refused(state, 'TOO_FEW_MEMBERS', problem);
  // The newest wish counts; an older one is not what is being done any more.
  const operations = state.operations.map((operation) =>
    isRunning(operation) && operation.want.type === 'factor'
      ? { ...operation, state: 'cancelled' as const, endedAtMs: command.atMs }
      : operation,
  );
  return begun({ ...state, operations }, command, { settings: { ...settings, replicationFactor } });
}

function cancelFactor(
  state: TopologyState,
  operations: readonly Operation[],
  { id }: Operation,
  replicationFactor: number,
): ApplyOutcome {
  const problem = factorProblem(state, replicationFactor);
  if (problem !== undefined) return refused(state, 'TOO_FEW_MEMBERS', problem);
  return applied(state, { operations, settings: { ...state.settings, replicationFactor } }, id);
}

function factorProblem(state: TopologyState, replicationFactor: number): string | undefined {
  const able = receivers(state).length;
  if (able >= replicationFactor) return undefined;
  const left = `${able} ${able === 1 ? 'member has' : 'members have'} started and may hold data`;
  return `The replication factor cannot be ${replicationFactor}: ${left}.`;
}

function tooFewWithout(state: TopologyState, number: MemberId, what: string): ApplyOutcome | undefined {
  const { replicationFactor } = state.settings;
  const others = receivers(state).filter((other) => other.number !== number);
  if (others.length >= replicationFactor) return undefined;
  const name = state.members.get(number)?.name;
  const who = `Member ${number}${name === undefined ? '' : ` (${name})`}`;
  const left = `${others.length} of the other members have started and may hold data`;
  const message = `${who} cannot be ${what}: ${left}, and each partition needs ${replicationFactor}.`;
  return refused(state, 'TOO_FEW_MEMBERS', message);
}

/** Whether each replica of a partition can have a zone of its own now, and could not without that member. */
function tooFewZones(
  state: TopologyState,
  { isForced }: CommandOf<'operation-start'>,
  number: MemberId,
): ApplyOutcome | undefined {
  const { replicationFactor } = state.settings;
  const all = receivers(state);
  const left = zonesOf(all.filter((member) => member.number !== number));
  const isSpread = replicationFactor > 1 && zonesOf(all) >= replicationFactor;
  if (isForced || !isSpread || left >= replicationFactor) return undefined;
  const zone = state.members.get(number)?.zone;
  const message = `Without member ${number} no member of zone ${zone} would be left, and the ${replicationFactor} replicas of a partition would share ${left} zones.`;
  const advice = 'Start another node in that zone first, or force it.';
  return refused(state, 'TOO_FEW_ZONES', `${message} ${advice}`);
}

function zonesOf(members: readonly Member[]): number {
  return new Set(members.map(({ zone }) => zone).filter((zone) => zone !== '')).size;
}

function begun(
  state: TopologyState,
  { want, by, atMs, partitions }: CommandOf<'operation-start'>,
  change: Partial<Pick<TopologyState, 'members' | 'settings'>>,
): ApplyOutcome {
  const id = toEpoch(state.epoch + 1);
  const { replicationFactor: previous } = state.settings;
  const operation: Operation = {
    ...{ id, by, atMs, partitions, state: 'running', holdsBack: false, endedAtMs: undefined },
    want: want.type === 'factor' ? { ...want, previous } : want,
  };
  return applied(state, { ...change, operations: kept([...state.operations, operation]) }, id);
}

function ended(
  state: TopologyState,
  operation: Operation,
  how: 'done' | 'cancelled',
  endedAtMs: number,
): readonly Operation[] {
  return kept(state.operations.map((one) => (one === operation ? { ...one, state: how, endedAtMs } : one)));
}

/** The oldest of those that ended are forgotten. */
function kept(operations: readonly Operation[]): readonly Operation[] {
  const over = operations.filter((one) => !isRunning(one)).length - LIMITS.operationsEndedMax;
  if (over <= 0) return operations;
  const forgotten = new Set(operations.filter((one) => !isRunning(one)).slice(0, over));
  return operations.filter((one) => !forgotten.has(one));
}

function isSameWant({ want }: Operation, wanted: RequestedWant): boolean {
  if (want.type !== wanted.type) return false;
  switch (want.type) {
    case 'rebalance':
      return true;
    case 'factor':
      return want.replicationFactor === (wanted as typeof want).replicationFactor;
    case 'drain':
    case 'replace':
      return want.member === (wanted as typeof want).member;
  }
}

function refuseNoOperation(state: TopologyState, id: Epoch): ApplyOutcome {
  const names = state.operations.map(operationName).join(', ');
  const message = `There is no operation ${id}; known are ${names || 'none'}. Ended ones are forgotten after a while.`;
  return refused(state, 'OPERATION_NOT_FOUND', message);
}
