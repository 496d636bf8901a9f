import type { KVCluster } from '../api/kvcluster.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * - startup: the process answers at all. Until then it replays its log and opens its files, for as long as ten minutes.
 * - liveness: it still does. A minute without an answer is a process that will not come back by itself. It says nothing of other
 *   members: a restart of this one would bring none of them back.
 * - readiness: it is a member, its data is placed, its disk works, and the topology has a quorum. Clients are sent elsewhere else.
 */
export function probes(cluster: KVCluster): Json {
  const scheme = cluster.spec.tls?.http === undefined ? 'HTTP' : 'HTTPS';
  const get = (path: string): Json => ({ httpGet: { path, port: 'http', scheme } });
  return {
    startupProbe: { ...get('/livez'), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 300 },
    livenessProbe: { ...get('/livez'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: { ...get('/readyz'), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
  };
}
