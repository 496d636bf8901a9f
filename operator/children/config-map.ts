import type { KVCluster } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';
import type { KubeObject } from './kube-object.ts';
import { childMeta, configName } from './names.ts';
import { settingsFile, storeSettings } from './store-settings.ts';

/** The settings file of all pods. */
export function settingsText(cluster: KVCluster, facts: ChildFacts): string {
  return settingsFile(storeSettings(cluster, facts));
}

export function configMap(cluster: KVCluster, facts: ChildFacts): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: childMeta(cluster, configName(cluster)),
    data: { 'kvorum.yaml': settingsText(cluster, facts) },
  };
}
