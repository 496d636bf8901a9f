import { API_VERSION, clusterSpec, KIND, type KVCluster, type KVClusterSpecInput } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';

/** A KVCluster as the API server would give it, for tests. */
export function testCluster(spec: KVClusterSpecInput = {}, name = 'demo'): KVCluster {
  const uid = '7d1f3e60-0000-4000-8000-000000000001';
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace: 'shop', uid, generation: 1 },
    spec: clusterSpec.parse(spec),
  };
}

export const TEST_FACTS: ChildFacts = {
  clusterId: '0f3c5b0e9d7a4c21b6a8e1d2f3c4b5a6',
  replicas: 3,
  operatorNamespace: 'kvorum-system',
  apis: { podMonitor: true, certificate: true },
};
