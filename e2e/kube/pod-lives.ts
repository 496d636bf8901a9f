import type { Pod } from '../../operator/kube/resources.ts';
import { isPodReady, until } from './kubectl.ts';
import type { KvCluster } from './kv-cluster.ts';

/** Which process a pod is: `UID/RESTARTS`, by the names of pods. Another one is another life. */
export type PodLives = ReadonlyMap<string, string>;

export async function livesOf(cluster: KvCluster): Promise<PodLives> {
  return new Map((await cluster.pods()).map((pod) => [pod.metadata.name, lifeOf(pod)]));
}

/**
 * Each of `names` lives another life than `before`, and is ready. To be asked for before what the status says: that is some moments behind, and
 * still as wished when a pod has just been killed.
 */
export async function untilBack(
  cluster: KvCluster,
  names: readonly string[],
  before: PodLives,
  limitMs: number,
): Promise<void> {
  await until(`${names.join(', ')} back`, limitMs, async () => {
    const pods = await cluster.pods();
    const isBack = (name: string): boolean => {
      const pod = pods.find(({ metadata }) => metadata.name === name);
      return pod !== undefined && isPodReady(pod) && lifeOf(pod) !== before.get(name);
    };
    const away = names.filter((name) => !isBack(name));
    if (away.length > 0) throw new Error(`${away.join(', ')} not back`);
    return true;
  });
}

function lifeOf({ metadata, status }: Pod): string {
  const restarts = status?.containerStatuses?.reduce((sum, { restartCount }) => sum + restartCount, 0) ?? 0;
  return `${metadata.uid}/${restarts}`;
}
