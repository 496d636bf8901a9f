import type { MemberId } from '../raft/types.ts';
import type { Epoch, Partition } from '../topology/types.ts';
import { enteringOf } from './rules.ts';

/** Of one member: what came to it by a move. It stays known after the move until the next one of the partition. */
export type Received = {
  readonly partition: number;
  readonly session: number;
  readonly bytes: number;
  readonly bytesPerSecond: number;
};

/** What a member says of its data. `owned` leaves out partitions whose size is not known yet. */
export type Holdings = {
  readonly received: readonly Received[];
  readonly owned: readonly { readonly partition: number; readonly bytes: number }[];
};

/** Of the copies that an operation makes. */
export type Progress = {
  readonly bytesMoved: number;
  /** An estimate: a partition is as large as the largest that an owner says. */
  readonly bytesLeft: number;
  /** Of the last ten seconds. */
  readonly bytesPerSecond: number;
  /** Undefined where nothing travels, and something is left. */
  readonly etaSeconds: number | undefined;
};

/** A partition of an operation that does not move yet will be copied to one member: that is what most moves do. */
const COPIES_PLANNED = 1;

export type ProgressOptions = {
  /** Those of the operation that are not where they should be, or have been moved by it. */
  readonly numbers: readonly number[];
  /** Of those, the ones that it is done with: nothing of them is left. */
  readonly isDone: (partition: number) => boolean;
  /** Moves that began before it are not the operation's. */
  readonly since: Epoch;
};

export function progressOf(
  { numbers, isDone, since }: ProgressOptions,
  partitions: readonly Partition[],
  members: ReadonlyMap<MemberId, Holdings>,
): Progress {
  const sizes = sizesOf(members);
  const received = receivedOf(members, since);
  let [bytesMoved, bytesLeft, bytesPerSecond] = [0, 0, 0];
  for (const number of numbers) {
    const came = received.get(number) ?? [];
    bytesMoved += sum(came, ({ bytes }) => bytes);
    bytesPerSecond += sum(came, (one) => one.bytesPerSecond);
    const partition = partitions[number];
    if (partition === undefined || isDone(number)) continue;
    bytesLeft += leftOf(partition, came, sizes.get(number) ?? 0);
  }
  const etaSeconds = bytesLeft === 0 ? 0 : bytesPerSecond > 0 ? bytesLeft / bytesPerSecond : undefined;
  return { bytesMoved, bytesLeft, bytesPerSecond, etaSeconds };
}

type Came = Received & { readonly member: MemberId };

/** What is left of the bulk; what a synchronisation still brings is little, and not known. */
function leftOf({ replicas, move }: Partition, came: readonly Came[], size: number): number {
  if (move === undefined) return COPIES_PLANNED * size;
  if (move.stage !== 'joint') return 0;
  const missing = enteringOf(replicas, move.to).filter((member) => !move.entered.includes(member));
  return sum(missing, (member) => {
    const own = came.find((one) => one.member === member && one.session === move.session);
    return Math.max(0, size - (own?.bytes ?? 0));
  });
}

/** Of each partition, as large as the largest that an owner says. */
export function sizesOf(
  members: ReadonlyMap<MemberId, Pick<Holdings, 'owned'>>,
): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  for (const { owned } of members.values())
    for (const { partition, bytes } of owned)
      sizes.set(partition, Math.max(bytes, sizes.get(partition) ?? 0));
  return sizes;
}

function receivedOf(
  members: ReadonlyMap<MemberId, Holdings>,
  since: Epoch,
): ReadonlyMap<number, readonly Came[]> {
  const byPartition = new Map<number, Came[]>();
  for (const [member, { received }] of members) {
    for (const one of received) {
      if (one.session < since) continue;
      const known = byPartition.get(one.partition);
      if (known === undefined) byPartition.set(one.partition, [{ ...one, member }]);
      else known.push({ ...one, member });
    }
  }
  return byPartition;
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
