import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KVCluster } from '../api/kvcluster.ts';
import { commonLabels } from '../children/names.ts';
import { testCluster } from '../children/test-cluster.ts';
import type { KubeObject } from '../kube/resource.ts';
import { familyOf } from './family.ts';
import type { KubeView } from './kube-view.ts';

const CLUSTER = testCluster({}, 'kv');
const OTHER = testCluster({}, 'kv-1');

const named = (
  name: string,
  labels: Readonly<Record<string, string>> = {},
  annotations = {},
): KubeObject => ({
  metadata: { name, namespace: 'shop', labels, annotations },
});
const own = (cluster: KVCluster, prefix: string, count: number): readonly KubeObject[] =>
  Array.from({ length: count }, (_, i) =>
    named(`${prefix}${cluster.metadata.name}-${i}`, commonLabels(cluster)),
  );

class Shop {
  readonly asked: string[] = [];
  readonly pods: KubeObject[] = [...own(CLUSTER, '', 3), ...own(OTHER, '', 3)];
  readonly claims: KubeObject[] = [...own(CLUSTER, 'data-', 3), ...own(OTHER, 'data-', 3)];
  readonly view: KubeView = {
    get: async (resource, { name }) => {
      this.asked.push(`${resource.kind} ${name}`);
      return this.#all(resource.kind).find(({ metadata }) => metadata.name === name) as never;
    },
    list: async (resource, _, labels) => {
      this.asked.push(labels === undefined ? `all of ${resource.kind}` : `own of ${resource.kind}`);
      const isOwn = ({ metadata }: KubeObject) =>
        Object.entries(labels ?? {}).every(([name, value]) => metadata.labels?.[name] === value);
      return this.#all(resource.kind).filter(isOwn) as never;
    },
  };

  #all(kind: string): readonly KubeObject[] {
    return kind === 'Pod' ? this.pods : this.claims;
  }

  async names(cluster = CLUSTER): Promise<readonly string[]> {
    const family = await familyOf(cluster, undefined, this.view);
    return [...family.pods, ...family.claims].map(({ metadata }) => metadata.name).toSorted();
  }
}

const WHOLE = ['data-kv-0', 'data-kv-1', 'data-kv-2', 'kv-0', 'kv-1', 'kv-2'];

test('familyOf: two lists by labels, and nothing of other KVClusters', async () => {
  const shop = new Shop();
  assert.deepEqual(await shop.names(), WHOLE);
  assert.deepEqual(shop.asked.toSorted(), ['own of PersistentVolumeClaim', 'own of Pod']);
});

test('familyOf: what lost its labels is asked for by name', async () => {
  const shop = new Shop();
  shop.pods[1] = named('kv-1');
  shop.claims[2] = named('data-kv-2');
  assert.deepEqual(await shop.names(), WHOLE);
});

test('familyOf: so is the pod of the highest member that the status knows', async () => {
  const shop = new Shop();
  shop.pods.push(named('kv-4'));
  const members = [{ name: 'kv-4', state: 'up', ready: true }] as const;
  const names = await shop.names({ ...CLUSTER, status: { members: [...members] } });
  assert.ok(names.includes('kv-4'), names.join());
});

test('familyOf: where a volume may be deleted all pods come, since anybody may have mounted it', async () => {
  const shop = new Shop();
  shop.claims.push(named('data-kv-3', commonLabels(CLUSTER), { 'kvorum.dev/left': '4' }));
  await shop.names();
  assert.ok(shop.asked.includes('all of Pod'));
});

test('familyOf: many that are missing are listed and not asked for one by one', async () => {
  const shop = new Shop();
  await shop.names(testCluster({ replicas: 100 }, 'kv'));
  assert.deepEqual(
    shop.asked.filter((what) => !what.includes(' of ')),
    [],
  );
});
