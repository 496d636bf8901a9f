import type { Clock } from '../../store/ports/clock.ts';
import type { KVCluster } from '../api/kvcluster.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Resource } from '../kube/resource.ts';
import { certificates, type OptionalApis, podMonitors } from './kinds.ts';

/** A kind that is asked for and was not there is looked for again after so long. */
export const LOOK_INTERVAL_MS = 60_000;

export type ApiFinderDeps = {
  readonly client: Pick<KubeClient, 'serves'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told of each kind that is there now and was not before. */
  readonly onFound?: (resource: Resource) => void;
};

/**
 * Which of the kinds that a Kubernetes may lack are there. Somebody may install them while the operator runs: they are looked for again as long as a KVCluster
 * asks for them.
 */
export class ApiFinder {
  readonly #deps: ApiFinderDeps;
  #found: OptionalApis;
  #lookedMs: number;

  constructor(found: OptionalApis, deps: ApiFinderDeps) {
    this.#found = found;
    this.#deps = deps;
    this.#lookedMs = deps.clock.monotonicMs();
  }

  get found(): OptionalApis {
    return this.#found;
  }

  /** What is there, as far as this cluster may care. */
  async of(cluster: KVCluster): Promise<OptionalApis> {
    const nowMs = this.#deps.clock.monotonicMs();
    if (missingApis(cluster, this.#found).length > 0 && nowMs >= this.#lookedMs + LOOK_INTERVAL_MS) {
      this.#lookedMs = nowMs;
      await this.#look();
    }
    return this.#found;
  }

  /** The server says that it has no such kind any more. */
  lost({ kind }: Resource): void {
    const { podMonitor, certificate } = this.#found;
    this.#found = {
      podMonitor: podMonitor && kind !== podMonitors.kind,
      certificate: certificate && kind !== certificates.kind,
    };
    this.#lookedMs = this.#deps.clock.monotonicMs();
  }

  async #look(): Promise<void> {
    const { client, onFound = () => undefined } = this.#deps;
    const before = this.#found;
    const [podMonitor, certificate] = await Promise.all([
      client.serves(podMonitors),
      client.serves(certificates),
    ]);
    this.#found = { podMonitor, certificate };
    if (podMonitor && !before.podMonitor) onFound(podMonitors);
    if (certificate && !before.certificate) onFound(certificates);
  }
}

/** Kinds that the spec asks for and that are not there, with what asks for them. */
export function missingApis(
  { spec }: KVCluster,
  { podMonitor, certificate }: OptionalApis,
): readonly { readonly field: string; readonly api: string; readonly from: string }[] {
  const missing = [];
  if (spec.monitoring.podMonitor.enabled && !podMonitor)
    missing.push({
      field: 'spec.monitoring.podMonitor.enabled',
      api: 'PodMonitor of monitoring.coreos.com/v1',
      from: 'the Prometheus operator',
    });
  for (const side of ['peer', 'http'] as const)
    if (spec.tls?.[side]?.issuerRef !== undefined && !certificate)
      missing.push({
        field: `spec.tls.${side}.issuerRef`,
        api: 'Certificate of cert-manager.io/v1',
        from: 'cert-manager',
      });
  return missing;
}
