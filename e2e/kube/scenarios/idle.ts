import assert from 'node:assert/strict';
import type { Resource } from '../../../operator/kube/resource.ts';
import {
  coreEvents,
  persistentVolumeClaims,
  pods,
  secrets,
  statefulSets,
} from '../../../operator/kube/resources.ts';
import { childResources, kvClusters } from '../../../operator/reconcile/kinds.ts';
import { KvCluster } from '../kv-cluster.ts';
import { operatorMetric, untilAlone, untilLeads } from '../operator-pods.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * An operator that has nothing to do does nothing: over a quiet minute, in which it looks at the cluster more than once, no object of the
 * namespace changes, and the only thing that it writes is its Lease.
 */

const QUIET_MS = 65_000;
/** By which the Lease is renewed, and which reconciling does not use. */
const LEASE_VERB = 'update';
const WRITES = ['create', 'update', 'patch', 'apply', 'delete'] as const;

await runScenario('idle', async (scene) => {
  const { step } = scene;
  await step('no other scenario runs', async () => await untilAlone(scene));
  const cluster = await KvCluster.settled(scene, 'three members with all that can be had', {
    auth: { enabled: true },
  });
  const { holder } = await untilLeads(scene);
  const before = { versions: await versionsOf(scene), calls: await callsOf(scene) };
  await step('a quiet minute', async () => await new Promise((resolve) => setTimeout(resolve, QUIET_MS)));
  const after = { versions: await versionsOf(scene), calls: await callsOf(scene) };
  assert.equal((await untilLeads(scene)).holder, holder, 'the same operator leads');
  assert.deepEqual(after.versions, before.versions, 'resourceVersions of all objects');
  const grown = (name: string): number => (after.calls.get(name) ?? 0) - (before.calls.get(name) ?? 0);
  for (const verb of WRITES.filter((each) => each !== LEASE_VERB))
    assert.equal(grown(verb), 0, `calls of the operator that ${verb}`);
  assert.ok(grown(LEASE_VERB) > 0, 'the Lease was renewed');
  assert.ok(grown('reconciles') > 0, `${cluster.name} was looked at`);
});

/** By kind and name. */
async function versionsOf({ kube, kubectl }: Scene): Promise<Readonly<Record<string, string | undefined>>> {
  const { namespace } = kubectl;
  const optional = { certificate: false, podMonitor: false };
  const kinds: readonly Resource[] = [
    ...[kvClusters, statefulSets, pods, persistentVolumeClaims, secrets, coreEvents],
    ...childResources(optional),
  ];
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await kube.list(kind, { namespace });
      return items.map(
        ({ metadata }) => [`${kind.plural}/${metadata.name}`, metadata.resourceVersion] as const,
      );
    }),
  );
  return Object.fromEntries(lists.flat());
}

/** Of the operator: calls to the API server by their verbs, and its reconciles. */
async function callsOf(scene: Scene): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const { labels, value } of await operatorMetric(scene, 'kvorum_operator_api_requests_total')) {
    const verb = /verb="([a-z]+)"/.exec(labels)?.[1] ?? '';
    counts.set(verb, (counts.get(verb) ?? 0) + value);
  }
  const reconciles = await operatorMetric(scene, 'kvorum_operator_reconciles_total');
  return counts.set(
    'reconciles',
    reconciles.reduce((sum, { value }) => sum + value, 0),
  );
}
