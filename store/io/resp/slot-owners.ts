import type { MemberId } from '../../core/raft/types.ts';
import { SLOT_COUNT } from '../../core/ring/slot.ts';
import type { RingMember } from '../../replication/data-admin.ts';
import { CommandError } from './command-error.ts';
import type { RespContext } from './resp-context.ts';

/** A node as clients of Redis Cluster know one. */
export type Owner = {
  readonly member: MemberId;
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly isUp: boolean;
  readonly isSelf: boolean;
};

/** Both ends are included. */
export type SlotRange = { readonly first: number; readonly last: number; readonly owner: Owner };

/** The members that serve clients of Redis, by number. Throws where nothing is placed yet. */
export function ownersOf(context: RespContext): readonly Owner[] {
  const data = context.data();
  if (data === undefined)
    throw new CommandError(
      'CLUSTERDOWN CLUSTER_FORMING the partitions are not placed yet; wait, or start more nodes',
    );
  const { clusterId = '', node } = context.cluster.status();
  return data
    .ring()
    .members.flatMap((member) => ownerOf(member, clusterId, member.number === node.member, context.port));
}

/**
 * Which node is asked first for which slots: the first replica that is up, so that a client goes on where the primary is down. The other
 * replicas are not told: one member is primary of some slots and replica of others, which no client of Redis expects, and every
 * node serves every key.
 */
export function slotRanges(context: RespContext): readonly SlotRange[] {
  const owners = new Map(ownersOf(context).map((owner) => [owner.member, owner]));
  const { partitions, sets } = context.data()?.ring() ?? { partitions: 1, sets: [] };
  const width = SLOT_COUNT / partitions;
  const ranges: SlotRange[] = [];
  for (const [partition, { replicas }] of sets.entries()) {
    const all = replicas.flatMap((member) => owners.get(member) ?? []);
    const owner = all.find(({ isUp }) => isUp) ?? all[0];
    if (owner === undefined) continue;
    append(ranges, { first: partition * width, last: (partition + 1) * width - 1, owner });
  }
  return ranges;
}

/** Slots that follow each other and have one owner are one range. */
function append(ranges: SlotRange[], next: SlotRange): void {
  const before = ranges.at(-1);
  const isOne = before?.owner.member === next.owner.member && before.last + 1 === next.first;
  if (before === undefined || !isOne) ranges.push(next);
  else ranges[ranges.length - 1] = { ...before, last: next.last };
}

/** None where it serves no clients of Redis. This node does, whatever the topology has heard of it so far. */
function ownerOf(
  { number, respAddress, httpAddress, isUp }: RingMember,
  clusterId: string,
  isSelf: boolean,
  ownPort: number,
): Owner[] {
  const { host, port } = splitAddress(respAddress ?? (isSelf ? withPort(httpAddress, ownPort) : ''));
  if (host === '') return [];
  const id = `${clusterId}${number.toString(16).padStart(8, '0')}`;
  return [{ member: number, id, host, port, isUp, isSelf }];
}

function withPort(httpAddress: string, port: number): string {
  return httpAddress.replace(/^https?:\/\//, '').replace(/:\d+$/, `:${port}`);
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = '0'] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  return { host, port: Number(port) };
}
