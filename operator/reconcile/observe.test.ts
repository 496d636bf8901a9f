import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCluster } from '../children/test-cluster.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { StoreView } from '../store-view/store-view.ts';
import type { RawCluster } from './kinds.ts';
import type { KubeView } from './kube-view.ts';
import { Observer } from './observe.ts';

const CLUSTER = testCluster({}, 'kv') as unknown as RawCluster;
const options = { operatorNamespace: 'kvorum-system', canReadNodes: true };
const deps = {
  store: { look: async () => ({ nodes: [], topology: undefined, heard: [] }) } as unknown as StoreView,
  apis: { of: async () => ({ podMonitor: false, certificate: false }), lost: () => undefined },
  nowMs: () => 0,
  accessOf: async () => ({}),
};

/** Each list is answered with what is there at that moment; a node comes, and takes a pod, before the pods are listed. */
function viewOfGrowth(): KubeView {
  const nodes: KubeObject[] = [];
  const pod = { metadata: { name: 'kv-0', namespace: 'shop', uid: 'p' }, spec: { nodeName: 'w9' } };
  return {
    get: async () => undefined,
    list: async (resource) => {
      if (resource.kind === 'Node') return [...nodes] as never;
      if (resource.kind !== 'Pod') return [];
      nodes.push({ metadata: { name: 'w9' } });
      return [pod] as never;
    },
  };
}

test('a node that came while the pods were listed is none that is gone', async () => {
  const observer = new Observer(options, deps);
  const { observation } = await observer.observe(CLUSTER, viewOfGrowth());
  assert.deepEqual(
    observation.pods.map(({ node, isNodeGone }) => ({ node, isNodeGone })),
    [{ node: 'w9', isNodeGone: false }],
  );
});
