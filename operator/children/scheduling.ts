import type { KVCluster } from '../api/kvcluster.ts';
import { compact } from './kube-object.ts';
import { selectorLabels } from './names.ts';

/** Where pods run. */

const HOST_LABEL = 'kubernetes.io/hostname';

type Json = Readonly<Record<string, unknown>>;

export function scheduling(cluster: KVCluster): Json {
  const { tolerations, nodeSelector, priorityClassName } = cluster.spec;
  return compact({
    affinity: affinity(cluster),
    topologySpreadConstraints: spreadConstraints(cluster),
    tolerations,
    nodeSelector,
    priorityClassName,
  });
}

/** Over failure domains, and within one over nodes. */
function spreadConstraints(cluster: KVCluster): readonly Json[] | undefined {
  const { enabled, topologyKey, whenUnsatisfiable } = cluster.spec.topologySpread;
  if (!enabled) return undefined;
  return [...new Set([topologyKey, HOST_LABEL])].map((key) => ({
    maxSkew: 1,
    topologyKey: key,
    whenUnsatisfiable: key === topologyKey ? whenUnsatisfiable : 'ScheduleAnyway',
    labelSelector: { matchLabels: selectorLabels(cluster) },
  }));
}

/** The user's, and the zones that the specification names: each of the user's alternatives has to be in one of them. */
function affinity({ spec }: KVCluster): Json | undefined {
  if (spec.zones === undefined) return spec.affinity;
  const inZones = { key: spec.topologySpread.topologyKey, operator: 'In', values: spec.zones };
  const nodeAffinity = (spec.affinity?.nodeAffinity ?? {}) as NodeAffinity;
  const required = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = (required?.nodeSelectorTerms ?? [{}]).map((term) => ({
    ...term,
    matchExpressions: [...(term.matchExpressions ?? []), inZones],
  }));
  const merged = {
    ...nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
  };
  return { ...spec.affinity, nodeAffinity: merged };
}

type NodeAffinity = {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: {
    readonly nodeSelectorTerms?: readonly { readonly matchExpressions?: readonly Json[] }[];
  };
};
