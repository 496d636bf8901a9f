import type { Prng } from '../../store/core/prng/prng.ts';

/** `local`: on a disk of the node, gone with it. `network`: follows its pod. */
export type Volumes = 'local' | 'network';

export type ClusterPlan = {
  readonly namespace: string;
  readonly name: string;
  readonly volumes: Volumes;
};

/**
 * How a KVCluster gets nowhere. `unschedulable`: no node has room for its pods. `silent`: its store does not answer the operator. `refused`:
 * the API server fails whatever is written to its objects.
 */
export type Hindrance = 'unschedulable' | 'silent' | 'refused';
export const HINDRANCES: readonly Hindrance[] = ['unschedulable', 'silent', 'refused'];

/** Names that begin with each other, look like each other's pods and volumes, or are the same in another namespace. */
const OTHERS: readonly Pick<ClusterPlan, 'namespace' | 'name'>[] = [
  { namespace: 'shop', name: 'kv-a' },
  { namespace: 'shop', name: 'kv-0' },
  { namespace: 'shop', name: 'kv-1' },
  { namespace: 'shop', name: 'data-kv' },
  { namespace: 'shop', name: 'k' },
  // Its client Service and the headless one of `kv` would have one name.
  { namespace: 'shop', name: 'kv-peers' },
  { namespace: 'depot', name: 'kv-peers' },
  { namespace: 'depot', name: 'kv' },
  { namespace: 'depot', name: 'kv-0' },
];
const CLUSTERS_MAX = 3;

export function drawClusters(prng: Prng): readonly ClusterPlan[] {
  const names = [{ namespace: 'shop', name: 'kv' }];
  const count = 1 + prng.below(CLUSTERS_MAX);
  const left = [...OTHERS];
  while (names.length < count) names.push(...left.splice(prng.below(left.length), 1));
  return names.map((ref) => ({ ...ref, volumes: prng.below(3) === 0 ? 'network' : 'local' }));
}
