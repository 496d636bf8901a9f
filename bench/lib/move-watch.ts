import { setTimeout as sleep } from 'node:timers/promises';
import type { KvorumCluster } from './kvorum-cluster.ts';

export type Stages = { readonly joint: number; readonly transfer: number; readonly switch: number };

/** What was seen of the moves at one moment. `atMs`: since 1970. */
export type Seen = Stages & { readonly atMs: number };

/** One rebalance, from the first move to the last. */
export type Watched = {
  readonly seen: readonly Seen[];
  /** From when the first move was seen until none was left. */
  readonly seconds: number;
  readonly bytes: number;
  /** Changes of the topology. */
  readonly epochs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
};

type Topology = {
  readonly epoch: number;
  readonly partitions: readonly {
    readonly replicas: readonly number[];
    readonly move?: { readonly stage: keyof Stages };
  }[];
};

const LOOK_MS = 100;
const WAIT_MS_MAX = 3_600_000;

/**
 * Waits until each of `members` members has its share of the copies and nothing moves, and tells what was seen on the way. `onFirst` is
 * called when the first move is seen.
 */
export async function watchMoves(
  cluster: KvorumCluster,
  members: number,
  onFirst?: () => void,
): Promise<Watched> {
  const before = await movedBytes(cluster);
  const seen: Seen[] = [];
  let firstEpoch: number | undefined;
  let lastEpoch = 0;
  const untilMs = performance.now() + WAIT_MS_MAX;
  for (let isOver = false; !isOver; ) {
    if (performance.now() > untilMs) throw new Error('the moves do not come to their end');
    const { partitions, epoch } = await cluster.get<Topology>(0, '/v1/topology');
    const stages = stagesOf(partitions);
    const isMoving = stages.joint + stages.transfer + stages.switch > 0;
    if (isMoving && seen.length === 0) onFirst?.();
    if (isMoving || seen.length > 0) seen.push({ ...stages, atMs: Date.now() });
    firstEpoch ??= epoch;
    lastEpoch = epoch;
    isOver = !isMoving && isBalanced(partitions, members);
    if (!isOver) await sleep(LOOK_MS);
  }
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) throw new Error('no partition has moved');
  const seconds = (last.atMs - first.atMs) / 1000;
  const bytes = (await movedBytes(cluster)) - before;
  const epochs = lastEpoch - (firstEpoch ?? 0);
  return { seen, seconds, bytes, epochs, startedAtMs: first.atMs, endedAtMs: last.atMs };
}

function stagesOf(partitions: Topology['partitions']): Stages {
  const count = (stage: keyof Stages): number =>
    partitions.filter(({ move }) => move?.stage === stage).length;
  return { joint: count('joint'), transfer: count('transfer'), switch: count('switch') };
}

function isBalanced(partitions: Topology['partitions'], members: number): boolean {
  const copies = new Map<number, number>();
  for (const { replicas } of partitions)
    for (const member of replicas) copies.set(member, (copies.get(member) ?? 0) + 1);
  const all = [...copies.values()].reduce((sum, count) => sum + count, 0);
  return copies.size === members && Math.min(...copies.values()) >= Math.floor(all / members);
}

/** Bytes of records that have come to any of the nodes by moves. */
async function movedBytes(cluster: KvorumCluster): Promise<number> {
  const counts = await Promise.all(
    cluster.endpoints.map(async (_, i) => {
      const found = /^kvorum_move_bytes_total (\S+)$/m.exec(await cluster.ask(i, 'GET', '/metrics'));
      if (found === null) throw new Error('the metrics do not say how many bytes have moved');
      return Number(found[1]);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
