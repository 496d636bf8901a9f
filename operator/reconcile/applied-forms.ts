import { hashOf } from '../children/hash.ts';
import type { KubeObject } from '../kube/resource.ts';

/**
 * What the API server made of what was applied. It may say things in other words, or leave out what it does not know, so that an object never
 * looks like what was applied: it counts as edited only once it differs from the answer to the apply as well, or each look would end in one more
 * apply. Nothing that is done rests on this memory: who does not have it applies once more.
 */
export class AppliedForms {
  /** By KVCluster, then by kind and name. */
  readonly #forms = new Map<string, Map<string, string>>();

  /** `object` is the answer to an apply. */
  note(cluster: string, kind: string, object: KubeObject): void {
    const own = this.#forms.get(cluster) ?? new Map<string, string>();
    this.#forms.set(cluster, own.set(`${kind}/${object.metadata.name}`, formOf(object)));
  }

  isAsApplied(cluster: string, kind: string, object: KubeObject): boolean {
    return this.#forms.get(cluster)?.get(`${kind}/${object.metadata.name}`) === formOf(object);
  }

  /** Of a KVCluster that is gone. */
  forget(cluster: string): void {
    this.#forms.delete(cluster);
  }
}

/** All but what controllers write, and the number of pods, which is set by acts of its own. */
function formOf(object: KubeObject): string {
  const { metadata, status: _, spec, ...rest } = object as Parts;
  const { uid, labels, annotations, ownerReferences } = metadata;
  const about = { uid, labels, annotations, ownerReferences };
  return hashOf({ ...rest, kind: '', apiVersion: '', metadata: about, spec: { ...spec, replicas: 0 } });
}

type Parts = KubeObject & { readonly spec?: object; readonly status?: unknown };
