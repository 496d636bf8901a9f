import type { MoveFacts } from '../core/moves/next-step.ts';
import { operationsOf } from '../core/moves/operations.ts';
import type { TopologyState } from '../core/topology/types.ts';
import type { OperationList } from './cluster-admin.ts';

/** The operations as the interfaces of a node show them: by the names of members, also of those that are none any more. */
export function operationList(state: TopologyState, facts: MoveFacts): OperationList {
  const operations = operationsOf(state, facts).map(({ name, member, ...operation }) => ({
    ...operation,
    id: name,
    member: member === undefined ? undefined : facts.nameOf(member),
  }));
  return { epoch: state.epoch, operations };
}
