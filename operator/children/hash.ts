import { createHash } from 'node:crypto';
import { isSettingName, SETTINGS } from '../../store/config/settings.ts';
import type { KVCluster, KVClusterSpec } from '../api/kvcluster.ts';
import type { KubeObject } from './kube-object.ts';
import { ANNOTATIONS } from './names.ts';

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
 * Of what the user can see of a pod: those with another hash are restarted, unless live settings are all that differs. It is made of the specification and not of the pod, so
 * that another version of the operator, which may make pods in another way, restarts none by that alone. A test pins it.
 */
export function podHash({ spec }: Pick<KVCluster, 'spec'>): string {
  return hashOf(withoutEmpty(podInputs(spec)));
}

/**
 * What a pod says of itself, so that it can be told later what is different by then: the hash of all; that of all but settings; and the
 * settings. Which of these are live is not in it: a later version may have more of them, and that alone restarts nobody.
 */
export function podAnnotations(cluster: Pick<KVCluster, 'spec'>): Readonly<Record<string, string>> {
  return {
    [ANNOTATIONS.specHash]: podHash(cluster),
    [ANNOTATIONS.restartHash]: restartHash(cluster),
    [ANNOTATIONS.config]: canonical(cluster.spec.config ?? {}),
  };
}

/** Of a pod whose hash is another one than is wanted: whether more than live settings are different, which it takes over as it runs. */
export function isRestartNeeded(
  cluster: Pick<KVCluster, 'spec'>,
  annotations: Readonly<Record<string, string>>,
  wanted = restartHash(cluster),
): boolean {
  const before = settingsIn(annotations[ANNOTATIONS.config]);
  if (before === undefined || annotations[ANNOTATIONS.restartHash] !== wanted) return true;
  const now: Settings = cluster.spec.config ?? {};
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].some((name) => canonical(before[name]) !== canonical(now[name]) && !isLive(name));
}

type Settings = Readonly<Record<string, unknown>>;

/** The file has spec.replacePolicy as cluster.replaceMemberAfterMs, which is live. */
export function restartHash({ spec }: Pick<KVCluster, 'spec'>): string {
  const { replacePolicy: _policy, config: _config, ...inputs } = podInputs(spec);
  return hashOf(withoutEmpty(inputs));
}

/** Undefined of a pod that an operator before live settings made, or that somebody has edited. */
function settingsIn(text: string | undefined): Settings | undefined {
  try {
    const found: unknown = JSON.parse(text ?? '');
    return typeof found === 'object' && found !== null ? (found as Settings) : undefined;
  } catch {
    return undefined;
  }
}

function isLive(name: string): boolean {
  return isSettingName(name) && SETTINGS[name].isLive;
}

function podInputs(spec: KVClusterSpec) {
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
