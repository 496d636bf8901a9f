import { createHash } from 'node:crypto';
import type { KVCluster, KVClusterSpec } from '../api/kvcluster.ts';
import type { KubeObject } from './kube-object.ts';

const HASH_DIGITS = 16;

/** Of any data: the same for the same fields in another order, and for a field that is undefined or absent. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, HASH_DIGITS);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, each]) => each !== undefined);
  const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`;
}

/**
 * Of an object as the operator would write it, so that it writes only where that differs from what it wrote last. The number of
 * pods is not in it: that is set by the acts that scale.
 */
export function objectHash(object: KubeObject): string {
  const { spec } = object;
  if (object.kind !== 'StatefulSet') return hashOf(object);
  return hashOf({ ...object, spec: { ...(spec as object), replicas: undefined } });
}

/**
 * Of what the user can see of a pod: those with another hash are restarted. It is made of the specification and not of the pod, so
 * that another version of the operator, which may make pods in another way, restarts none by that alone. A test pins it.
 */
export function podHash({ spec }: Pick<KVCluster, 'spec'>): string {
  return hashOf(withoutEmpty(podInputs(spec)));
}

function podInputs(spec: KVClusterSpec): Readonly<Record<string, unknown>> {
  const { pullPolicy: _policy, ...image } = spec.image; // when to pull is no difference between what runs
  return {
    image,
    resources: spec.resources,
    zones: spec.zones,
    topologySpread: spec.topologySpread,
    affinity: spec.affinity,
    tolerations: spec.tolerations,
    nodeSelector: spec.nodeSelector,
    priorityClassName: spec.priorityClassName,
    securityContext: spec.securityContext,
    podTemplate: spec.podTemplate,
    config: spec.config,
    tls: spec.tls,
    auth: spec.auth,
    resp: spec.resp,
    replacePolicy: spec.replacePolicy,
    restartedAt: spec.restartedAt,
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds,
  };
}

/**
 * Fields whose value is that of FIRST count as absent. A field that a later version of the operator adds, which gets its default
 * in every KVCluster that there is, belongs in here with that default, and so restarts nothing.
 */
const FIRST: Readonly<Record<string, unknown>> = {
  auth: { enabled: false },
  resp: { enabled: true },
};

function withoutEmpty(inputs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const counts = Object.entries(inputs).filter(
    ([name, value]) => value !== undefined && canonical(value) !== canonical(FIRST[name] ?? {}),
  );
  return Object.fromEntries(counts);
}
