import type { NodeState, Operation, Topology } from '@kvorum/client';
import type { LocalNode } from './local-node.ts';

/** A node as far as the plan needs it. */
export type ScaleNode = {
  readonly node: LocalNode;
  readonly hasDirectory: boolean;
  readonly isRunning: boolean;
  /** What it says of itself; undefined where it does not answer. */
  readonly state: NodeState | undefined;
};

/** `discard`: its directory goes. */
export type ScaleAct = {
  readonly type: 'start' | 'stop' | 'discard' | 'drain' | 'cancel-drain' | 'remove';
  readonly node: LocalNode;
};

/**
 * What can be done now on the way to the first `target` nodes. It remembers nothing: whatever an earlier run, with another
 * target, left behind is seen in the topology and on the disk, so that every run goes on from there. `topology` is undefined
 * while nobody leads: then what should run is started, and nothing is taken away.
 */
export function planScale(
  target: number,
  nodes: readonly ScaleNode[],
  topology: Topology | undefined,
): readonly ScaleAct[] {
  if (topology === undefined)
    return nodes.filter((each) => isStaying(each, target) && !each.isRunning).map(actOf('start'));
  const staying = nodes.filter((each) => isStaying(each, target));
  const isComplete = staying.every(({ node, isRunning }) => isRunning && isUp(topology, node.name));
  const canDrain = isComplete && topology.partitions.length > 0;
  return nodes.flatMap((each) => {
    const type = isStaying(each, target)
      ? nextForStaying(each, topology)
      : nextForLeaving(each, topology, { canDrain });
    return type === undefined ? [] : [actOf(type)(each)];
  });
}

function nextForStaying(
  { node, isRunning, state, hasDirectory }: ScaleNode,
  topology: Topology,
): ScaleAct['type'] | undefined {
  const member = memberOf(topology, node.name);
  if (member?.isDraining) return 'cancel-drain';
  if (isRunning) return state === 'excluded' && member === undefined ? 'stop' : undefined;
  // It was taken out and stopped by a run that ended there: with its old directory it would stay outside.
  if (member === undefined && hasDirectory) return 'discard';
  return 'start';
}

/** One that is down is started before it is drained: what it alone holds may be needed. */
function nextForLeaving(
  { node, isRunning, hasDirectory }: ScaleNode,
  topology: Topology,
  { canDrain }: { readonly canDrain: boolean },
): ScaleAct['type'] | undefined {
  const member = memberOf(topology, node.name);
  if (member === undefined) return isRunning ? 'stop' : hasDirectory ? 'discard' : undefined;
  if (ownedBy(topology, member.number) === 0 && member.isDraining) return 'remove';
  if (!isRunning && hasDirectory) return 'start';
  return canDrain && !member.isDraining ? 'drain' : undefined;
}

/** Operations that are listed for a while after their end are not what is waited for. */
export function isUnderWay({ state }: Operation): boolean {
  return state === 'running';
}

/** Whether the nodes are as they should be; not whether the data is. */
export function isScaled(target: number, nodes: readonly ScaleNode[], topology: Topology): boolean {
  const names = new Set(topology.members.map(({ name }) => name));
  return (
    planScale(target, nodes, topology).length === 0 &&
    nodes.every((each) => names.has(each.node.name) === isStaying(each, target))
  );
}

/** Whether all members hold as many replicas as the others, by no more than one. */
export function isEven({ members, partitions }: Topology): boolean {
  const counts = members.map(({ number }) => partitions.filter(({ replicas }) => replicas.includes(number)));
  const lengths = counts.map(({ length }) => length);
  return partitions.length > 0 && Math.max(...lengths) - Math.min(...lengths) <= 1;
}

/** The highest number of a member that is named as local nodes are. */
export function highestMember({ members }: Topology): number {
  return Math.max(0, ...members.map(({ name }) => Number(/^kvorum-(\d+)$/.exec(name)?.[1] ?? 0)));
}

function ownedBy({ partitions }: Topology, member: number): number {
  return partitions.filter(({ replicas, move }) => replicas.includes(member) || move?.to.includes(member))
    .length;
}

function isUp(topology: Topology, name: string): boolean {
  return memberOf(topology, name)?.state === 'up';
}

function memberOf({ members }: Topology, name: string) {
  return members.find((member) => member.name === name);
}

const isStaying = ({ node }: ScaleNode, target: number): boolean => node.index <= target;
const actOf =
  (type: ScaleAct['type']) =>
  ({ node }: ScaleNode): ScaleAct => ({ type, node });
