import type { KVCluster } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';
import type { KubeObject } from './kube-object.ts';
import { certificateSecretName, childMeta, clientHost, headlessHost } from './names.ts';

const SIDES = ['peer', 'http'] as const;
type Side = (typeof SIDES)[number];

/** What cert-manager is asked for, where an issuer is named and cert-manager is there. */
export function certificates(cluster: KVCluster, { apis }: ChildFacts): readonly KubeObject[] {
  return apis.certificate ? SIDES.flatMap((side) => certificate(cluster, side) ?? []) : [];
}

function certificate(cluster: KVCluster, side: Side): KubeObject | undefined {
  const issuer = cluster.spec.tls?.[side]?.issuerRef;
  if (issuer === undefined) return undefined;
  const name = certificateSecretName(cluster, side);
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: childMeta(cluster, name),
    spec: {
      secretName: name,
      issuerRef: { group: 'cert-manager.io', kind: issuer.kind, name: issuer.name },
      dnsNames: namesOf(cluster, side),
      usages: ['server auth', 'client auth', 'digital signature', 'key encipherment'],
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
    },
  };
}

/** Each pod by its own name, and the names that stand for all of them. */
function namesOf(cluster: KVCluster, side: Side): readonly string[] {
  const pods = headlessHost(cluster);
  if (side === 'peer') return [pods, `*.${pods}`];
  const service = clientHost(cluster);
  const short = service.replace(/\.svc$/, '');
  return [pods, `*.${pods}`, service, short, cluster.metadata.name, 'localhost'];
}
