import type { Member as TopologyMember, TopologyState } from '../core/topology/types.ts';
import { ClusterError } from './cluster-admin.ts';
import type { Member } from './member.ts';

/** Throws ClusterError CLUSTER_WAITING. */
export function requireState(member: Member): TopologyState {
  const { state } = member.topology;
  if (state === undefined)
    throw new ClusterError('CLUSTER_WAITING', 'the topology has not arrived at this node yet; try again');
  return state;
}

/** Throws ClusterError MEMBER_NOT_FOUND. */
export function requireNamed(state: TopologyState, name: string): TopologyMember {
  const found = memberOfName(state, name);
  if (found === undefined) throw new ClusterError('MEMBER_NOT_FOUND', `there is no member '${name}'`);
  return found;
}

export function memberOfName({ members }: TopologyState, name: string): TopologyMember | undefined {
  return [...members.values()].find((each) => each.name === name);
}
