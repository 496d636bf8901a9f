import { fileHash } from '../../store/io/file-hash.ts';
import type { KVCluster } from '../api/kvcluster.ts';
import { authSecret, ownsAuthSecret } from '../children/auth-secret.ts';
import { supportingChildren, wantedStatefulSet } from '../children/children.ts';
import { settingsText } from '../children/config-map.ts';
import type { ChildFacts } from '../children/facts.ts';
import { podHash, restartHash } from '../children/hash.ts';
import type { KubeObject } from '../children/kube-object.ts';

/** All that is made of a KVCluster, and the hashes that say whether what is there is that. */
export type WantedForms = {
  readonly children: readonly KubeObject[];
  readonly statefulSet: KubeObject;
  readonly podHash: string;
  readonly restartHash: string;
  readonly fileHash: string;
};

export function wantedForms(cluster: KVCluster, facts: ChildFacts): WantedForms {
  return {
    children: wantedChildren(cluster, facts),
    statefulSet: wantedStatefulSet(cluster, facts),
    podHash: podHash(cluster),
    restartHash: restartHash(cluster),
    fileHash: fileHash(settingsText(cluster, facts)),
  };
}

export function wantedChildren(cluster: KVCluster, facts: ChildFacts): readonly KubeObject[] {
  const others = supportingChildren(cluster, facts);
  return ownsAuthSecret(cluster) ? [authSecret(cluster, () => ''), ...others] : others;
}
