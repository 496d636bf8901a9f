import type { KVCluster } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';
import type { KubeObject } from './kube-object.ts';
import { childMeta, configName } from './names.ts';
import { settingsFile, storeSettings } from './store-settings.ts';

export function configMap(cluster: KVCluster, facts: ChildFacts): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: childMeta(cluster, configName(cluster)),
    data: { 'kvorum.yaml': settingsFile(storeSettings(cluster, facts)) },
  };
}
