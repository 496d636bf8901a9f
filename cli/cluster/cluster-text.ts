import type { ClusterStatus, MemberInfo, MemberList, Topology } from '@kvorum/client';
import { formatTable } from '../lib/table.ts';

// What the commands about the cluster print for people.

/** The first line is the answer: `ok`, `degraded`, `lost`, or `none` where the node is of no cluster. */
export function formatCluster(status: ClusterStatus, paint: (text: string) => string): string {
  const { quorum, members, leader, node } = status;
  const reason = quorum.reason === undefined ? '' : `: ${quorum.reason}`;
  const lines: [string, string][] = [['quorum', `${paint(quorum.state)}${reason}`]];
  if (status.clusterId !== undefined) {
    lines.push(
      ['cluster', `${status.clusterId}, epoch ${status.epoch}`],
      ['leader', leader === undefined ? 'none is known' : `${leader.name}, term ${status.term}`],
      ['voters', `${votersText(status)} (${quorum.needed} needed)`],
    );
    if (quorum.missing.length > 0) lines.push(['missing', quorum.missing.join(', ')]);
    const { total, alive, suspect, dead } = members;
    lines.push(['members', `${total}: ${alive} alive, ${suspect} suspect, ${dead} dead`]);
  }
  lines.push(['this node', nodeText(node)]);
  return lines.map(([name, text]) => `${name.padEnd(10)}  ${text}\n`).join('');
}

function votersText({ quorum }: ClusterStatus): string {
  return quorum.voters
    .map(({ name, liveness }) => (liveness === 'alive' ? name : `${name} (${liveness})`))
    .join(', ');
}

function nodeText({ name, state, reason, member, role, isVoter }: ClusterStatus['node']): string {
  const parts = [name, state === 'member' ? `member ${member}` : state];
  if (state === 'member') parts.push(role ?? 'no role', isVoter ? 'votes' : 'does not vote');
  return parts.join(', ') + (reason === undefined ? '' : `: ${reason}`);
}

export function formatMembers({ epoch, members }: MemberList): string {
  const heading = [
    'NAME',
    'NUMBER',
    'LIVENESS',
    'ROLE',
    'ZONE',
    'WEIGHT',
    'EPOCH',
    'PEER',
    'HTTP',
    'VERSION',
  ];
  return formatTable([heading, ...members.map((member) => memberRow(member, epoch))]);
}

function memberRow(member: MemberInfo, epoch: number): string[] {
  const { name, number, zone, weight, appliedEpoch, address, httpAddress, version } = member;
  const role = member.isLeader ? 'leader' : member.isVoter ? 'voter' : 'learner';
  const behind = epoch > appliedEpoch ? ` (-${epoch - appliedEpoch})` : '';
  return [
    ...[name, String(number), livenessText(member), role, zone || '-'],
    ...[String(weight), `${appliedEpoch}${behind}`, address, httpAddress, version],
  ];
}

function livenessText({ liveness, state, isDraining }: MemberInfo): string {
  const facts = [...(state === 'waiting' ? ['joining'] : []), ...(isDraining ? ['draining'] : [])];
  return [liveness, ...facts].join(', ');
}

export function formatTopology(topology: Topology): string {
  const { clusterId, epoch, settings, members, partitions, namespaces } = topology;
  const moving = partitions.filter(({ move }) => move !== undefined).length;
  const moves = moving === 0 ? '' : `${moving} moving, `;
  const placed = partitions.length === 0 ? 'not placed yet' : `${moves}replicas: ${replicasText(topology)}`;
  return `epoch       ${epoch} of cluster ${clusterId}
members     ${members.length}: ${members.map(({ name }) => name).join(', ')}
partitions  ${settings.partitions}, replication factor ${settings.replicationFactor}, ${placed}
namespaces  ${namespaces.length}: ${namespaces.map(({ name }) => name).join(', ')}
`;
}

/** How many replicas each member has: `kvorum-1 256, kvorum-2 256`. */
function replicasText({ members, partitions }: Topology): string {
  const counts = new Map<number, number>();
  for (const { replicas } of partitions)
    for (const member of replicas) counts.set(member, (counts.get(member) ?? 0) + 1);
  return members.map(({ number, name }) => `${name} ${counts.get(number) ?? 0}`).join(', ');
}

/** One line for a change: `epoch 18  +kvorum-4  members 4, partitions 256, namespaces 2`. */
export function formatChange(before: Topology | undefined, topology: Topology): string {
  const { epoch, members, partitions, namespaces } = topology;
  const sizes = `members ${members.length}, partitions ${partitions.length}, namespaces ${namespaces.length}`;
  const news = before === undefined ? [] : changesBetween(before, topology);
  return `${[`epoch ${epoch}`, ...news, sizes].join('  ')}\n`;
}

/** Members that came (`+`), changed (`~`) and went (`-`), partitions that were touched, namespaces. */
function changesBetween(before: Topology, after: Topology): string[] {
  const old = new Map(before.members.map((member) => [member.number, member]));
  const news = after.members.flatMap((member) => {
    const known = old.get(member.number);
    old.delete(member.number);
    if (known === undefined) return [`+${member.name}`];
    return JSON.stringify(known) === JSON.stringify(member) ? [] : [`~${member.name}`];
  });
  const gone = Array.from(old.values(), ({ name }) => `-${name}`);
  const moved = after.partitions.filter((partition) => partition.epoch > before.epoch).length;
  return [
    ...news,
    ...gone,
    ...(moved > 0 ? [`${moved} partitions`] : []),
    ...namespacesBetween(before.namespaces, after.namespaces),
  ];
}

type Namespaces = Topology['namespaces'];

function namespacesBetween(before: Namespaces, after: Namespaces): string[] {
  const ids = (list: Namespaces): Set<number> => new Set(list.map(({ id }) => id));
  const [old, now] = [ids(before), ids(after)];
  const made = after.filter(({ id }) => !old.has(id)).map(({ name }) => `+namespace ${name}`);
  return [...made, ...before.filter(({ id }) => !now.has(id)).map(({ name }) => `-namespace ${name}`)];
}
