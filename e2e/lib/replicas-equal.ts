import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { DataMap } from './data-map.ts';

type VerifyLine = {
  readonly type: 'progress' | 'report' | 'problem';
  readonly partitions?: number;
  readonly equal?: number;
  readonly keysRepaired?: number;
  readonly problems?: readonly unknown[];
};
type LocalEntry = {
  readonly key: string;
  readonly version: string;
  readonly value?: string;
  readonly isTombstone: boolean;
  readonly isExpired: boolean;
};

export const EQUAL_DEADLINE_MS = 60_000;
const ARRIVED_AFTER_MS = 600;

/** The last line of `POST /v1/verify` at the node, as an object. */
export async function verify(node: ClusterNode, timeoutMs: number = EQUAL_DEADLINE_MS): Promise<VerifyLine> {
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(`${node.url}/v1/verify`, { method: 'POST', signal });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`a verification at ${node.name} was refused: ${text}`);
  return JSON.parse(text.trim().split('\n').at(-1) as string) as VerifyLine;
}

/**
 * Verifies until all replicas are equal, without anybody who writes; then compares what the nodes themselves tell, which
 * needs no trust in the verification. Returns the milliseconds and how many keys were repaired on the way.
 */
export async function requireEqualReplicas(
  cluster: Cluster,
  map: DataMap,
): Promise<{ readonly tookMs: number; readonly keysRepaired: number }> {
  const equal = await untilEqual(cluster, EQUAL_DEADLINE_MS);
  await requireEqualContents(cluster, map);
  return equal;
}

/** Verifies at the nodes that run until one of them finds all replicas equal. */
export async function untilEqual(
  cluster: Cluster,
  deadlineMs: number,
): Promise<{ readonly tookMs: number; readonly keysRepaired: number }> {
  // What is younger is taken for a write on its way, and not counted as a difference.
  await sleep(ARRIVED_AFTER_MS);
  const startedAt = performance.now();
  let keysRepaired = 0;
  let last: VerifyLine | undefined;
  const what = (): string =>
    `the replicas did not become equal; the last verification said ${JSON.stringify(last)}`;
  try {
    await cluster.until(
      'not equal',
      async () => {
        const nodes = cluster.awake();
        last = await verify(nodes[Math.floor(Math.random() * nodes.length)] as ClusterNode, deadlineMs);
        keysRepaired += last.keysRepaired ?? 0;
        return last.type === 'report' && last.equal === last.partitions && last.problems?.length === 0;
      },
      deadlineMs,
    );
  } catch (cause) {
    throw new Error(what(), { cause });
  }
  return { tookMs: performance.now() - startedAt, keysRepaired };
}

/** Every live record is at all of its owners, with one version and value, and at nobody else. */
async function requireEqualContents(cluster: Cluster, map: DataMap): Promise<void> {
  const contents = new Map<number, ReadonlyMap<string, string>>();
  for (const node of cluster.awake()) contents.set(node.index, await contentsOf(node));
  const keys = new Set([...contents.values()].flatMap((each) => [...each.keys()]));
  for (const key of keys) {
    const owners = map.ownersOf(key);
    const shown = owners.map((index) => contents.get(index)?.get(key));
    const strangers = cluster
      .awake()
      .filter(({ index }) => !owners.includes(index) && contents.get(index)?.has(key));
    if (new Set(shown).size > 1 || strangers.length > 0)
      throw new Error(
        `${key} is ${JSON.stringify(shown)} on its owners ${owners}, and at ${strangers.length} others, after a verification found all equal`,
      );
  }
}

/** Of keys without a TTL, whose end nobody can see twice at one time: version and value. */
async function contentsOf(node: ClusterNode): Promise<ReadonlyMap<string, string>> {
  const answer = await node.request<{ readonly entries: readonly LocalEntry[] }>(
    '/v1/local/default?limit=1000',
  );
  if (answer.type !== 'ok') throw new Error(`${node.name} does not tell what it holds: ${answer.detail}`);
  const entries = answer.body.entries.filter((entry) => !('expiresAt' in entry));
  return new Map(entries.map(({ key, version, value }) => [key, `${version} ${value}`]));
}

/** `explain` says of each key that it is safe, or that nothing is there. */
export async function requireSafe(cluster: Cluster, keys: readonly string[]): Promise<void> {
  const nodes = cluster.awake();
  for (const [i, key] of keys.entries()) {
    const node = nodes[i % nodes.length] as ClusterNode;
    const answer = await node.request<{ readonly safety: string; readonly verdict: string }>(
      `/v1/explain/default/${encodeURIComponent(key)}`,
    );
    if (answer.type !== 'ok') throw new Error(`${node.name} does not explain ${key}: ${answer.detail}`);
    const { safety, verdict } = answer.body;
    if (safety !== 'safe' && safety !== 'absent')
      throw new Error(`${node.name} says of ${key} after a verification: ${safety}, ${verdict}`);
  }
}
