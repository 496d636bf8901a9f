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

/** The others that hold all of the range and are up, by number. */
export type ReplicatedRange = SlotRange & { readonly replicas: readonly Owner[] };

export type SlotContext = Pick<RespContext, 'data' | 'cluster' | 'port'>;

/** The members that serve clients of Redis, by number. Throws where nothing is placed yet. */
export function ownersOf(context: SlotContext): readonly Owner[] {
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

/** Which node is asked first for which slots. */
export function slotRanges(context: SlotContext): readonly SlotRange[] {
  return merged(partitionRanges(context), () => true);
}

/** The same with the replicas that may be asked instead: shorter ranges, since those differ more. */
export function replicatedRanges(context: SlotContext): readonly ReplicatedRange[] {
  return merged(partitionRanges(context), (a, b) => isSame(a.replicas, b.replicas));
}

/**
 * One range for each partition that has a replica which serves clients of Redis. The owner is the first replica that is up, so that
 * a client goes on where the primary is down. One member is the owner of some slots and a replica of others.
 */
export function partitionRanges(context: SlotContext): readonly ReplicatedRange[] {
  const owners = new Map(ownersOf(context).map((owner) => [owner.member, owner]));
  const { partitions, sets } = context.data()?.ring() ?? { partitions: 1, sets: [] };
  const width = SLOT_COUNT / partitions;
  return sets.flatMap(({ replicas: members }, partition) => {
    const all = members.flatMap((member) => owners.get(member) ?? []);
    const owner = all.find(({ isUp }) => isUp) ?? all[0];
    if (owner === undefined) return [];
    const replicas = all
      .filter((each) => each !== owner && each.isUp)
      .toSorted((a, b) => a.member - b.member);
    return { first: partition * width, last: (partition + 1) * width - 1, owner, replicas };
  });
}

/** Slots that follow each other, have one owner and are `alike` are one range. */
function merged(
  ranges: readonly ReplicatedRange[],
  alike: (a: ReplicatedRange, b: ReplicatedRange) => boolean,
): readonly ReplicatedRange[] {
  const found: ReplicatedRange[] = [];
  for (const next of ranges) {
    const before = found.at(-1);
    const isOne =
      before?.owner.member === next.owner.member && before.last + 1 === next.first && alike(before, next);
    if (before === undefined || !isOne) found.push(next);
    else found[found.length - 1] = { ...before, last: next.last };
  }
  return found;
}

function isSame(a: readonly Owner[], b: readonly Owner[]): boolean {
  return a.length === b.length && a.every(({ member }, i) => member === b[i]?.member);
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
