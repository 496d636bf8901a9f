import { stringify } from 'yaml';
import { SETTING_NAMES } from '../../store/config/settings.ts';
import { type KVCluster, PORT_HTTP, PORT_PEER, PORT_RESP } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';
import { headlessHost } from './names.ts';
import { FILES } from './paths.ts';

/**
 * The settings file of all pods. Nothing in it depends on spec.replicas or spec.replicationFactor: a change of these must restart
 * no pod. What differs from pod to pod is in the environment (container.ts).
 */

/** The longest that a store can be told to wait: as good as never, and people decide. */
const NEVER_MS = 30 * 86_400_000;

export function storeSettings(
  cluster: KVCluster,
  { clusterId }: ChildFacts,
): Readonly<Record<string, unknown>> {
  const { spec } = cluster;
  return {
    ...spec.config,
    'node.dataDir': FILES.data,
    'cluster.id': clusterId,
    'cluster.seeds': [`${headlessHost(cluster)}:${PORT_PEER}`],
    'cluster.replaceMemberAfterMs':
      spec.replacePolicy.mode === 'Automatic' ? spec.replacePolicy.afterSeconds * 1000 : NEVER_MS,
    'peer.host': '0.0.0.0',
    'peer.port': PORT_PEER,
    'http.host': '0.0.0.0',
    'http.port': PORT_HTTP,
    'resp.enabled': spec.resp.enabled,
    // What members tell clients of Redis is their name in http.advertise (container.ts) with this port.
    ...(spec.resp.enabled && { 'resp.host': '0.0.0.0', 'resp.port': PORT_RESP }),
    ...(spec.tls?.peer && tlsSettings('peer')),
    ...(spec.tls?.http && tlsSettings('http')),
    ...(spec.auth.enabled && { 'http.tokensFile': `${FILES.auth}/tokens.yaml` }),
  };
}

function tlsSettings(side: 'peer' | 'http'): Readonly<Record<string, string>> {
  const folder = side === 'peer' ? FILES.peerTls : FILES.httpTls;
  const own = { [`${side}.tlsCert`]: `${folder}/tls.crt`, [`${side}.tlsKey`]: `${folder}/tls.key` };
  return side === 'peer' ? { ...own, 'peer.tlsCa': `${folder}/ca.crt` } : own;
}

/** The file, sections and settings in the order of docs/configuration.md. */
export function settingsFile(settings: Readonly<Record<string, unknown>>): string {
  const order = (name: string): number => (SETTING_NAMES as readonly string[]).indexOf(name);
  const sections = new Map<string, Record<string, unknown>>();
  for (const name of Object.keys(settings).toSorted((a, b) => order(a) - order(b))) {
    if (settings[name] === undefined) continue;
    const [section = '', key = ''] = name.split('.');
    sections.set(section, { ...sections.get(section), [key]: settings[name] });
  }
  return stringify(Object.fromEntries(sections), { lineWidth: 0 });
}
