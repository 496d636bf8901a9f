import { rmSync } from 'node:fs';
import type { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';

type Topology = {
  readonly settings: { readonly replicationFactor: number };
  readonly members: readonly {
    readonly number: number;
    readonly name: string;
    readonly state: string;
    readonly isDraining: boolean;
  }[];
  readonly partitions: readonly {
    readonly replicas: readonly number[];
    readonly move?: { readonly to: readonly number[] };
  }[];
};
type OperationList = {
  readonly operations: readonly {
    readonly id: string;
    readonly partitionsLeft: number;
    readonly partitionsMoving: number;
    readonly blockedBy?: string;
  }[];
};

export type MoveOptions = {
  readonly deadlineMs: number;
  /** Who must be a member, and nobody else; those that run where absent. */
  readonly names?: () => readonly string[];
  /** Told what is left, when it changes. */
  readonly progress?: (text: string) => void;
};

/** A crash is noticed, and held for one, before the name is given to another directory. */
const REPLACED_DEADLINE_MS = 90_000;
const GONE = 'MEMBER_NOT_FOUND';

/** Starts another node, which joins and takes its share; `untilPlaced` waits for that. */
export async function addNode(cluster: Cluster): Promise<ClusterNode> {
  const node = await cluster.addNode();
  cluster.start(node.index);
  return node;
}

/** kill -9, the data directory deleted, and a start; resolves when it is back, as another member. */
export async function wipeNode(cluster: Cluster, index: number): Promise<void> {
  const node = cluster.node(index);
  const before = await numberOf(cluster, node);
  if (node.isRunning) await cluster.kill(index);
  startEmpty(cluster, index);
  await cluster.until(
    `${node.name} is not let in under another number`,
    async () => ((await node.status())?.node.member ?? 0) > before,
    REPLACED_DEADLINE_MS,
  );
}

/** A node that ended, or was taken out, begins anew with nothing. */
export function startEmpty(cluster: Cluster, index: number): void {
  rmSync(`${cluster.node(index).directory}/data`, { recursive: true, force: true });
  // The first node would make a cluster of an empty directory: it is to join this one.
  cluster.start(index, { 'cluster.bootstrap': 'false' });
}

async function numberOf(cluster: Cluster, { name }: ClusterNode): Promise<number> {
  const topology = await readTopology(cluster);
  return topology?.members.find((member) => member.name === name)?.number ?? 0;
}

/**
 * Waits until exactly the nodes that run, or `names`, are members, nothing is on its way, and each has its share of the data: as many replicas as
 * the others, by no more than one.
 */
export async function untilPlaced(cluster: Cluster, options: MoveOptions): Promise<void> {
  const { deadlineMs, names = () => cluster.awake().map(({ name }) => name) } = options;
  const tell = teller(options.progress);
  await cluster.until(
    `the data is not where it should be, on ${names().join(', ')}`,
    async () => {
      const topology = await readTopology(cluster);
      if (topology === undefined) return false;
      tell(await operationsText(cluster));
      return isPlaced(topology, names());
    },
    deadlineMs,
  );
}

/** Drains the nodes, all at once, and takes each out when it holds nothing any more; SIGTERM ends it. */
export async function drainOut(
  cluster: Cluster,
  indexes: readonly number[],
  { deadlineMs, progress }: MoveOptions,
): Promise<void> {
  for (const index of indexes) await askDrain(cluster, index, deadlineMs);
  const tell = teller(progress);
  for (const index of indexes) {
    const { name } = cluster.node(index);
    await cluster.until(
      `${name} is not drained`,
      async () => {
        tell(await operationsText(cluster));
        return isOut(cluster, name);
      },
      deadlineMs,
    );
    await cluster.stop(index);
  }
}

/** Asks until it is accepted: there may be no leader just now. */
export async function askDrain(cluster: Cluster, index: number, deadlineMs: number): Promise<void> {
  const { name } = cluster.node(index);
  let last = '';
  await cluster
    .until(
      `${name} is not drained`,
      async () => {
        const answer = await askAnybody(cluster, name, `/v1/members/${name}:drain`);
        last = answer.type === 'ok' ? '' : answer.detail;
        return answer.type === 'ok';
      },
      deadlineMs,
    )
    .catch((cause: Error) => {
      throw new Error(`${cause.message}; it was told: ${last}`, { cause });
    });
}

/** Whether it is no member; one that owns nothing any more is removed. */
async function isOut(cluster: Cluster, name: string): Promise<boolean> {
  const topology = await readTopology(cluster, name);
  if (topology === undefined) return false;
  const member = topology.members.find((each) => each.name === name);
  if (member === undefined) return true;
  const isOwner = topology.partitions.some(
    ({ replicas, move }) => replicas.includes(member.number) || move?.to.includes(member.number),
  );
  if (isOwner || !member.isDraining) return false;
  const answer = await askAnybody(cluster, name, `/v1/members/${name}:remove`);
  return answer.type === 'ok' || (answer.type === 'refused' && answer.code === GONE);
}

function isPlaced({ members, partitions }: Topology, names: readonly string[]): boolean {
  const isComplete =
    members.length === names.length &&
    members.every(({ name, state }) => names.includes(name) && state === 'up');
  if (!isComplete || partitions.length === 0 || partitions.some(({ move }) => move !== undefined))
    return false;
  const known = new Set(members.map(({ number }) => number));
  if (partitions.some(({ replicas }) => replicas.some((member) => !known.has(member)))) return false;
  const counts = members.map(
    ({ number }) => partitions.filter(({ replicas }) => replicas.includes(number)).length,
  );
  return Math.max(...counts) - Math.min(...counts) <= 1;
}

/** Of the leader, through anybody but `except`. */
async function readTopology(cluster: Cluster, except = ''): Promise<Topology | undefined> {
  for (const node of cluster.awake()) {
    if (node.name === except) continue;
    const answer = await node.request<Topology>('/v1/topology');
    if (answer.type === 'ok') return answer.body;
  }
  return undefined;
}

async function askAnybody(cluster: Cluster, except: string, path: string) {
  const others = cluster.awake().filter(({ name }) => name !== except);
  const node = others[Math.floor(Math.random() * others.length)] ?? cluster.node(1);
  return node.request(path, { method: 'POST' });
}

async function operationsText(cluster: Cluster): Promise<string> {
  const node = cluster.awake()[0];
  const answer = await node?.request<OperationList>('/v1/operations?consistency=local');
  if (answer?.type !== 'ok') return '';
  return answer.body.operations
    .filter(({ partitionsLeft }) => partitionsLeft > 0)
    .map(
      ({ id, partitionsLeft, partitionsMoving }) =>
        `${id}: ${partitionsLeft} left, ${partitionsMoving} moving`,
    )
    .join('; ');
}

const TELL_MS = 2000;

/** Passes on what changed, now and then. */
function teller(progress: MoveOptions['progress']): (text: string) => void {
  let last = { text: '', atMs: performance.now() };
  return (text) => {
    if (text === '' || text === last.text || performance.now() - last.atMs < TELL_MS) return;
    last = { text, atMs: performance.now() };
    progress?.(text);
  };
}
