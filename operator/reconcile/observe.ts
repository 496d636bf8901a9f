import { SETTINGS } from '../../store/config/settings.ts';
import { clusterSpec, KIND, type KVCluster, PORT_HTTP } from '../api/kvcluster.ts';
import { ownsAuthSecret } from '../children/auth-secret.ts';
import type { ChildFacts } from '../children/facts.ts';
import type { KubeObject as Wanted } from '../children/kube-object.ts';
import {
  ANNOTATIONS,
  authSecretName,
  claimName,
  commonLabels,
  podHost,
  statefulSetName,
} from '../children/names.ts';
import type { ChildSeen, Observation, Owner, PodSeen, StatefulSetSeen, Wish } from '../core/observation.ts';
import { isNotFound } from '../kube/kube-error.ts';
import { type KubeObject, keyOf, type Resource } from '../kube/resource.ts';
import {
  type Node,
  nodes,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
  secrets,
  statefulSets,
} from '../kube/resources.ts';
import type { StoreAccess, StoreTarget, StoreView } from '../store-view/store-view.ts';
import { type ApiFinder, missingApis } from './api-finder.ts';
import { AppliedForms } from './applied-forms.ts';
import { claimSeen } from './claim-seen.ts';
import { type Family, familyOf } from './family.ts';
import { holds } from './holds.ts';
import { childResource, childResources, isOptional, type OptionalApis, type RawCluster } from './kinds.ts';
import type { KubeView } from './kube-view.ts';
import { LastMade } from './last-made.ts';
import { podSeen } from './pod-seen.ts';
import { quantityOf } from './quantity.ts';
import { type WantedForms, wantedForms } from './wanted-forms.ts';

export const FINALIZER = 'kvorum.dev/volumes';
const NO_CLUSTER_ID = '0'.repeat(32);

export type ObserveOptions = {
  readonly operatorNamespace: string;
  /** Whether nodes may be read, which takes rights beyond a namespace. */
  readonly canReadNodes: boolean;
};

export type ObserveDeps = {
  readonly store: StoreView;
  readonly apis: Pick<ApiFinder, 'of' | 'lost'>;
  readonly nowMs: () => number;
  /** How the store of a cluster is spoken to. */
  readonly accessOf: (cluster: KVCluster) => Promise<StoreAccess>;
  readonly urlOf?: (cluster: KVCluster, pod: string) => string;
};

/** What was read beside the observation, for the acts that follow from it. */
export type Seen = {
  readonly cluster: KVCluster;
  readonly observation: Observation;
  readonly target: StoreTarget;
  readonly facts: ChildFacts;
};

/** Reads everything that a plan needs, from caches or from the API server, and from the store. */
export class Observer {
  readonly #options: ObserveOptions;
  readonly #deps: ObserveDeps;
  /** Whoever applies something notes what came of it. */
  readonly applied = new AppliedForms();
  readonly #specs = new LastMade<ParsedSpec>();
  readonly #wanted = new LastMade<WantedForms>();

  constructor(options: ObserveOptions, deps: ObserveDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Of a KVCluster that is gone. */
  forget(key: string): void {
    for (const memory of [this.applied, this.#specs, this.#wanted]) memory.forget(key);
  }

  async observe(raw: RawCluster, view: KubeView): Promise<Seen> {
    const spec = raw.spec ?? {};
    const parsed = this.#specs.get(keyOf(raw), JSON.stringify(spec), () => parsedSpec(spec));
    const cluster = { ...raw, spec: parsed.spec } as unknown as KVCluster;
    const apis = await this.#deps.apis.of(cluster);
    const [[found, family], labelled] = await Promise.all([
      this.#setAndFamily(cluster, view),
      this.#childrenOf(cluster, apis, view),
    ]);
    // After the pods: one that was bound to a node that came meanwhile is on no node that is gone.
    const allNodes = this.#options.canReadNodes ? await view.list(nodes, undefined) : undefined;
    const facts = this.#facts(cluster, apis, found);
    const wanted = this.#wantedForms(cluster, facts);
    const children = [...labelled, ...(await unlabelled(cluster, wanted, labelled, view))];
    const podsSeen = this.#podsSeen(cluster, family.pods, allNodes, wanted);
    const target = await this.#target(cluster, podsSeen);
    const observation: Observation = {
      nowMs: this.#deps.nowMs(),
      cluster: clusterSeen(cluster, parsed.problem),
      missing: missingApis(cluster, apis),
      children: this.#childrenSeen(cluster, wanted, children),
      statefulSet: found && this.#statefulSetSeen(cluster, wanted, found),
      wantedPodHash: wanted.podHash,
      wantedFileHash: wanted.fileHash,
      pods: podsSeen,
      claims: claimsSeen(cluster, family.claims, {
        ...{ pods: family.pods, nodes: allNodes, sinceMs: Date.parse(raw.metadata.creationTimestamp ?? '') },
      }),
      store: await this.#deps.store.look(target),
    };
    return { cluster, observation, target, facts };
  }

  async #setAndFamily(
    cluster: KVCluster,
    view: KubeView,
  ): Promise<readonly [StatefulSet | undefined, Family]> {
    const { namespace } = cluster.metadata;
    const set = await view.get(statefulSets, { namespace, name: statefulSetName(cluster) });
    return [set, await familyOf(cluster, set, view)];
  }

  #facts(cluster: KVCluster, apis: OptionalApis, found: StatefulSet | undefined): ChildFacts {
    const { operatorNamespace } = this.#options;
    const replicas = found?.spec?.replicas ?? cluster.spec.replicas;
    return { clusterId: cluster.status?.clusterId ?? NO_CLUSTER_ID, replicas, operatorNamespace, apis };
  }

  /** Most of what a look would cost, and the same until somebody wishes something else. */
  #wantedForms(cluster: KVCluster, facts: ChildFacts): WantedForms {
    const { metadata, spec } = cluster;
    const of = JSON.stringify([metadata.uid, spec, facts]);
    return this.#wanted.get(keyOf(cluster), of, () => wantedForms(cluster, facts));
  }

  async #childrenOf(cluster: KVCluster, apis: OptionalApis, view: KubeView): Promise<readonly KubeObject[]> {
    const { namespace } = cluster.metadata;
    const labels = commonLabels(cluster);
    const secret = await this.#secretOf(cluster, view);
    const lists = await Promise.all(
      childResources(apis).map(async (resource) => {
        const objects = await this.#listed(resource, view.list(resource, namespace, labels));
        return objects.map((object) => ({ ...object, kind: resource.kind }));
      }),
    );
    return [...lists.flat(), ...secret];
  }

  /** A kind may be taken away while the operator runs; of those that always are there nothing is believed of the sort. */
  async #listed(resource: Resource, listing: Promise<readonly KubeObject[]>): Promise<readonly KubeObject[]> {
    try {
      return await listing;
    } catch (error) {
      if (!isNotFound(error) || !isOptional(resource)) throw error;
      this.#deps.apis.lost(resource);
      return [];
    }
  }

  /** By its name: Secrets are not listed, since those of others are none of an operator's business. */
  async #secretOf(cluster: KVCluster, view: KubeView): Promise<readonly KubeObject[]> {
    if (!ownsAuthSecret(cluster)) return [];
    const { namespace } = cluster.metadata;
    const found = await view.get(secrets, { namespace, name: authSecretName(cluster) });
    return found === undefined ? [] : [{ ...found, kind: secrets.kind }];
  }

  #childrenSeen(
    cluster: KVCluster,
    { children }: WantedForms,
    found: readonly KubeObject[],
  ): readonly ChildSeen[] {
    const wanted = childrenToBe(cluster, children);
    const seen = wanted.map((child): ChildSeen => {
      const { kind, metadata } = child;
      const there = found.find((object) => isNamed(object, kind, metadata.name));
      return {
        kind,
        name: metadata.name,
        wantedHash: hashIn(child),
        seenHash: there && this.#hashSeen(cluster, child, there),
        owner: there === undefined ? 'nobody' : ownerOf(cluster, there),
      };
    });
    const others = found.filter(
      ({ kind, metadata }) => !wanted.some((each) => isNamed(each, kind, metadata.name)),
    );
    return [...seen, ...others.map((object) => unwanted(cluster, object))];
  }

  /** Another one than is wanted where somebody edited what was applied. */
  #hashSeen(cluster: KVCluster, wanted: Wanted, there: KubeObject): string {
    const { kind } = wanted;
    const hash = hashIn({ kind, metadata: there.metadata });
    if (hash !== hashIn(wanted) || holds(comparable(wanted), there)) return hash;
    return this.applied.isAsApplied(keyOf(cluster), kind, there) ? hash : EDITED;
  }

  #statefulSetSeen(
    cluster: KVCluster,
    { statefulSet: wanted }: WantedForms,
    found: StatefulSet,
  ): StatefulSetSeen {
    const { metadata, spec, status } = found;
    const fixed = wanted.metadata.annotations?.[ANNOTATIONS.fixedHash];
    return {
      uid: metadata.uid ?? '',
      version: metadata.resourceVersion ?? '',
      owner: ownerOf(cluster, found),
      isDeleting: metadata.deletionTimestamp !== undefined,
      replicas: spec?.replicas ?? 1,
      isObserved: (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0),
      wantedHash: hashIn(wanted),
      seenHash: this.#hashSeen(cluster, wanted, found),
      isImmutablyDifferent:
        cluster.status?.clusterId !== undefined && metadata.annotations?.[ANNOTATIONS.fixedHash] !== fixed,
    };
  }

  #podsSeen(
    cluster: KVCluster,
    all: readonly Pod[],
    allNodes: readonly Node[] | undefined,
    wanted: WantedForms,
  ): readonly PodSeen[] {
    const zoneLabel = cluster.spec.topologySpread.topologyKey;
    return all.flatMap((pod) => {
      const ordinal = ordinalIn(`${cluster.metadata.name}-`, pod.metadata.name);
      if (ordinal === undefined) return [];
      const { restartHash } = wanted;
      const facts = {
        cluster,
        restartHash,
        nodes: allNodes,
        zoneLabel,
        claimName: claimName(cluster, ordinal),
      };
      return [podSeen(pod, ordinal, facts)];
    });
  }

  async #target(cluster: KVCluster, seen: readonly PodSeen[]): Promise<StoreTarget> {
    const { namespace, name } = cluster.metadata;
    const running = seen.filter(({ isRunning }) => isRunning).toSorted((a, b) => a.ordinal - b.ordinal);
    const urlOf = this.#deps.urlOf ?? podUrl;
    return {
      key: `${namespace}/${name}`,
      nodes: running.map((pod) => ({ name: pod.name, url: urlOf(cluster, pod.name) })),
      access: await this.#deps.accessOf(cluster),
    };
  }
}

function podUrl(cluster: KVCluster, pod: string): string {
  const scheme = cluster.spec.tls?.http === undefined ? 'http' : 'https';
  return `${scheme}://${podHost(cluster, pod)}:${PORT_HTTP}`;
}

type ParsedSpec = { readonly spec: KVCluster['spec']; readonly problem: string | undefined };

/** A spec that the schema of the API server let through and ours does not: told, and nothing is done. */
function parsedSpec(spec: unknown): ParsedSpec {
  const result = clusterSpec.safeParse(spec);
  if (result.success) return { spec: result.data, problem: undefined };
  const problems = result.error.issues.map(({ path, message }) => `spec.${path.join('.')}: ${message}`);
  return { spec: clusterSpec.parse({}), problem: problems.join('; ') };
}

function clusterSeen(cluster: KVCluster, problem: string | undefined): Observation['cluster'] {
  const { metadata, status } = cluster;
  const members = status?.members ?? [];
  return {
    name: metadata.name,
    uid: metadata.uid,
    isDeleting: metadata.deletionTimestamp !== undefined,
    hasFinalizer: metadata.finalizers?.includes(FINALIZER) === true,
    wish: wishOf(cluster),
    specProblem: problem === undefined ? undefined : { reason: 'SpecInvalid', message: problem },
    clusterId: status?.clusterId,
    hasLived: status?.epoch !== undefined,
    knownMembers: members.flatMap(({ name, number }) => (number === undefined ? [] : [{ name, number }])),
  };
}

function wishOf({ spec }: KVCluster): Wish {
  const { replicas, replicationFactor, partitions, storage, topologySpread, replacePolicy } = spec;
  return {
    replicas,
    replicationFactor,
    partitions,
    storageBytes: quantityOf(storage.size),
    whenScaled: storage.retention.whenScaled,
    whenDeleted: storage.retention.whenDeleted,
    isPaused: spec.paused,
    usesZones: topologySpread.enabled,
    rebalanceAfterMs: rebalanceAfterMs(spec),
    replace: { mode: replacePolicy.mode, afterMs: replacePolicy.afterSeconds * 1000 },
  };
}

function rebalanceAfterMs({ config = {} }: KVCluster['spec']): number | undefined {
  const isOn = config['cluster.rebalance'] ?? SETTINGS['cluster.rebalance'].default;
  const afterMs = config['cluster.rebalanceAfterMs'] ?? SETTINGS['cluster.rebalanceAfterMs'].default;
  return isOn === true ? Number(afterMs) : undefined;
}

/** The Secret of tokens is made once and never again: its hash is that it is there. */
const MADE_ONCE = 'made-once';

/** Nothing is made before there is an identity. */
function childrenToBe({ status }: KVCluster, children: readonly Wanted[]): readonly Wanted[] {
  return status?.clusterId === undefined ? [] : children;
}

/** What stands under a wanted name without the labels: somebody took them away, or it belongs to somebody else. */
async function unlabelled(
  cluster: KVCluster,
  { children }: WantedForms,
  labelled: readonly KubeObject[],
  view: KubeView,
): Promise<readonly KubeObject[]> {
  const { namespace } = cluster.metadata;
  const missing = childrenToBe(cluster, children).filter(
    ({ kind, metadata }) =>
      kind !== secrets.kind && !labelled.some((each) => isNamed(each, kind, metadata.name)),
  );
  const found = await Promise.all(
    missing.map(async ({ kind, metadata: { name } }) => {
      const object = await view.get(childResource(kind), { namespace, name });
      return object === undefined ? [] : [{ ...object, kind }];
    }),
  );
  return found.flat();
}

const EDITED = 'edited';

function hashIn({ kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>): string {
  return kind === 'Secret' ? MADE_ONCE : (metadata.annotations?.[ANNOTATIONS.specHash] ?? '');
}

/** What is not told by the hash: a Secret is written once, and of a StatefulSet the pods are counted, and the claims made, by rules of their own. */
function comparable({ apiVersion: _, kind, spec, ...wanted }: Wanted): object {
  if (kind === 'Secret') return {};
  if (kind !== 'StatefulSet') return { ...wanted, spec };
  return { ...wanted, spec: { ...(spec as object), replicas: undefined, volumeClaimTemplates: undefined } };
}

function unwanted(cluster: KVCluster, object: KubeObject): ChildSeen {
  const { kind = '', metadata } = object;
  return {
    kind,
    name: metadata.name,
    wantedHash: undefined,
    seenHash: hashIn(object),
    owner: ownerOf(cluster, object),
  };
}

function isNamed(
  { kind, metadata }: KubeObject | Wanted,
  wantedKind: string | undefined,
  name: string,
): boolean {
  return kind === wantedKind && metadata.name === name;
}

function ownerOf({ metadata }: KVCluster, object: KubeObject): Owner {
  const controller = object.metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller === undefined) return 'nobody';
  if (controller.uid === metadata.uid) return 'this';
  return controller.kind === KIND && controller.name === metadata.name ? 'former' : 'other';
}

function claimsSeen(
  cluster: KVCluster,
  all: readonly PersistentVolumeClaim[],
  facts: Parameters<typeof claimSeen>[2],
): Observation['claims'] {
  return all.flatMap((claim) => {
    const ordinal = ordinalIn(`${claimName(cluster, 0).slice(0, -1)}`, claim.metadata.name);
    return ordinal === undefined ? [] : [claimSeen(claim, ordinal, facts)];
  });
}

function ordinalIn(prefix: string, name: string): number | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const rest = name.slice(prefix.length);
  return /^(0|[1-9][0-9]{0,5})$/.test(rest) ? Number(rest) : undefined;
}
