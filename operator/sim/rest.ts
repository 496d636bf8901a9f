import { Violation } from '../../store/sim/checkers/violation.ts';
import type { KubeObject } from '../kube/resource.ts';
import { configMaps, persistentVolumeClaims, pods, statefulSets } from '../kube/resources.ts';
import { LEFT_ANNOTATION } from '../reconcile/claim-seen.ts';
import { kvClusters } from '../reconcile/kinds.ts';
import type { SimApi } from './api.ts';
import type { SimCluster } from './cluster.ts';
import { INSTANCE_LABEL, SCRIBBLE } from './user.ts';
import type { SimWorld } from './world.ts';

/** What was never told of is found at the next list, and drains and replacements take their time. */
const REST_MS = 150 * 60_000;
const LOOK_MS = 5000;

/** Until all of `clusters` are as they are wished; throws where they do not come to that. */
export async function comeToRest(world: SimWorld, clusters: readonly SimCluster[]): Promise<void> {
  const obstacle = (): string | undefined => {
    for (const cluster of clusters) {
      const found = obstacleOf(world.api, cluster);
      if (found !== undefined) return `${cluster.key}: ${found}`;
    }
    return undefined;
  };
  let nextLookMs = 0;
  const isAtRest = await world.run(REST_MS, () => {
    // A look at everything costs more than most steps.
    if (world.clock.monotonicMs() < nextLookMs) return false;
    nextLookMs = world.clock.monotonicMs() + LOOK_MS;
    return obstacle() === undefined;
  });
  if (!isAtRest) throw new Violation('it comes to what is wished', obstacle() ?? '');
}

/** What is not as it is wished. */
function obstacleOf(api: SimApi, cluster: SimCluster): string | undefined {
  if (!cluster.user.isWanted) return obstacleToGo(api, cluster);
  const refusal = refusalOf(cluster);
  return refusal === undefined ? obstacleToServe(api, cluster) : obstacleToTell(api, cluster, refusal);
}

/** Why there is to be nothing of it: its name, or what of somebody else stands under a name that it needs. */
function refusalOf({ ref, user }: SimCluster): string | undefined {
  if (ref.name.endsWith('-peers')) return 'NameReserved';
  return user.stranger === undefined ? undefined : 'NameTaken';
}

function obstacleToTell(api: SimApi, { ref, kubelets }: SimCluster, refusal: string): string | undefined {
  const { status, metadata } = api.get(kvClusters, ref) ?? {};
  const isTold = status?.conditions?.some(({ type, reason }) => type === 'Degraded' && reason === refusal);
  if (isTold !== true) return `nothing says ${refusal}`;
  if (kubelets.own(pods).length > 0) return `it has pods in spite of ${refusal}`;
  return status?.observedGeneration === metadata?.generation ? undefined : 'the newest spec was not seen';
}

function obstacleToGo(api: SimApi, { ref, user, kubelets }: SimCluster): string | undefined {
  if (api.get(kvClusters, ref) !== undefined) return 'the KVCluster is still there';
  if (api.get(statefulSets, ref) !== undefined) return 'the StatefulSet is still there';
  const left = kubelets.own(pods);
  if (left.length > 0) return `${left.map(({ metadata }) => metadata.name)} run on`;
  const claims = kubelets.own(persistentVolumeClaims).filter((claim) => isLabelled(claim, ref.name));
  if (!user.doVolumesGo || claims.length === 0) return undefined;
  return `${claims.map(({ metadata }) => metadata.name)} are still there`;
}

function obstacleToServe(api: SimApi, cluster: SimCluster): string | undefined {
  return (
    obstacleInStatus(api, cluster) ??
    obstacleInStore(cluster) ??
    obstacleInPods(api, cluster) ??
    obstacleInClaims(cluster)
  );
}

function obstacleInStatus(api: SimApi, { ref }: SimCluster): string | undefined {
  const { status, metadata } = api.get(kvClusters, ref) ?? {};
  const expected = { Ready: 'True Serving', Progressing: 'False AsWished', Degraded: 'False AllWell' };
  for (const [type, is] of Object.entries(expected)) {
    const told = status?.conditions?.find((each) => each.type === type);
    if (`${told?.status} ${told?.reason}` !== is)
      return `${type} is ${told?.status} ${told?.reason}: ${told?.message}`;
  }
  return status?.observedGeneration === metadata?.generation ? undefined : 'the newest spec was not seen';
}

function obstacleInStore({ view, user, kubelets, zoneOf }: SimCluster): string | undefined {
  const { replicas, replicationFactor } = user.spec;
  const members = [...(view.inner?.members.values() ?? [])].map(({ name }) => name).toSorted();
  const wanted = Array.from({ length: replicas }, (_, ordinal) => kubelets.podName(ordinal));
  if (members.join() !== wanted.join()) return `members are ${members}, of ${replicas}`;
  for (const member of view.inner?.members.values() ?? []) {
    const zone = zoneOf(member.name);
    if (member.zone !== zone)
      return `${member.name} is in zone ${zone}, and the store takes it for in '${member.zone}'`;
  }
  const isAsWished = view.inner?.isWhole === true && view.inner.factor === replicationFactor;
  return isAsWished ? undefined : 'the store is not whole';
}

function obstacleInPods(api: SimApi, { ref, user, kubelets }: SimCluster): string | undefined {
  const { replicas } = user.spec;
  const set = api.get(statefulSets, ref)?.spec;
  if (set?.replicas !== replicas) return 'the StatefulSet has other replicas';
  if (set.updateStrategy?.type !== 'OnDelete' || set.template.spec?.containers[0]?.args?.join() !== 'server')
    return 'the StatefulSet is as somebody edited it';
  const { data = {} } = api.get(configMaps, { ...ref, name: `${ref.name}-config` }) ?? {};
  if (Object.values(data).includes(SCRIBBLE)) return 'the ConfigMap is as somebody edited it';
  const all = kubelets.own(pods);
  if (all.length !== replicas) return `${all.length} pods, of ${replicas}`;
  const images = new Set(all.map(({ spec }) => spec?.containers?.[0]?.image));
  return images.size === 1 ? undefined : `pods run ${[...images]}`;
}

/** One that somebody labelled otherwise is found by its name alone, as long as that is one of those that are looked for; else it is kept. */
function isLabelled({ metadata }: KubeObject, name: string): boolean {
  return metadata.labels?.[INSTANCE_LABEL] === name;
}

function obstacleInClaims({ ref, user, kubelets }: SimCluster): string | undefined {
  const { replicas, storage } = user.spec;
  const wrong = kubelets.own(persistentVolumeClaims).filter((claim) => {
    const { metadata } = claim;
    const ordinal = kubelets.ordinalOf(persistentVolumeClaims, metadata) ?? 0;
    const isMarked = metadata.annotations?.[LEFT_ANNOTATION] !== undefined;
    if (ordinal < replicas) return isMarked;
    if (!isLabelled(claim, ref.name)) return false;
    return !isMarked || storage?.retention?.whenScaled === 'Delete';
  });
  if (wrong.length === 0) return undefined;
  return `${wrong.map(({ metadata }) => metadata.name)} should not be as they are`;
}
