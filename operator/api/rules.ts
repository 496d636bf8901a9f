import { SETTINGS, type SettingName } from '../../store/config/settings.ts';
import { OWNED_SETTINGS, ownedMessage } from './store-config.ts';

/**
 * What the API server refuses beside wrong types: CEL, evaluated when an object is written, so that no webhook is needed.
 * A message says what is wrong and what to do. A rule that names `oldSelf` holds between two writes only.
 */
export type Rule = {
  /** Names of the properties from the root of the object; `self` in the rule is what is there. */
  readonly path: readonly string[];
  readonly rule: string;
  readonly message: string;
};

/** Pods, Services and labels derive from the name, and each of them has a limit of its own. */
export const NAME_LENGTH_MAX = 45;
const PARTITIONS = Array.from({ length: 13 }, (_, power) => 2 ** power);
/** Below this the reserve of the store (`storage.reserveBytes`) would be most of the volume. */
const STORAGE_SIZE_MIN = '1Gi';
/** What a stop takes beside `shutdown.graceMs`: asking `can-stop`, handing over, closing the engine. */
export const STOP_OVERHEAD_SECONDS = 5;

/** How CEL names a property: `moves.partitionsMax` is `moves__dot__partitionsMax`. */
const celName = (name: string): string => name.replaceAll('.', '__dot__');

/** The value of a setting where `config` may be absent or lack it. */
function setting(name: SettingName, config = 'self', { mayBeAbsent = false } = {}): string {
  const path = `${config}.${celName(name)}`;
  const isGiven = mayBeAbsent ? `has(${config}) && has(${path})` : `has(${path})`;
  const fallback = SETTINGS[name].default;
  return `(${isGiven} ? ${path} : ${typeof fallback === 'string' ? `'${fallback}'` : String(fallback)})`;
}

const SPEC = ['spec'];
const CONFIG = ['spec', 'config'];

const ROOT_RULES: readonly Rule[] = [
  {
    path: [],
    rule: `self.metadata.name.size() <= ${NAME_LENGTH_MAX} && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')`,
    message: `the name must be at most ${NAME_LENGTH_MAX} of a-z, 0-9 and -, begin with a letter and not end with -: pods and Services are named after it. Choose another name.`,
  },
];

const SPEC_RULES: readonly Rule[] = [
  {
    path: SPEC,
    rule: 'self.replicas >= self.replicationFactor',
    message:
      'spec.replicas must be at least spec.replicationFactor, since each key lives on that many members. Raise spec.replicas, or lower spec.replicationFactor.',
  },
  {
    path: SPEC,
    rule: `self.partitions in [${PARTITIONS.join(', ')}]`,
    message: 'spec.partitions must be a power of two from 1 to 4096. 256 suits most clusters.',
  },
  {
    path: SPEC,
    rule: 'self.partitions == oldSelf.partitions',
    message:
      'spec.partitions is fixed when the cluster is made. Keep it, or make another KVCluster and copy the data with kvorum export and kvorum import.',
  },
  {
    path: SPEC,
    rule: `${setting('storage.engine', 'self.config', { mayBeAbsent: true })} == ${setting('storage.engine', 'oldSelf.config', { mayBeAbsent: true })}`,
    message:
      'storage.engine is fixed when the cluster is made, since a volume stays with its engine. Keep it, or make another KVCluster and copy the data with kvorum export and kvorum import.',
  },
  {
    path: SPEC,
    rule: '(has(self.tls) && has(self.tls.peer)) == (has(oldSelf.tls) && has(oldSelf.tls.peer))',
    message:
      'spec.tls.peer cannot be added or removed later: members with TLS do not talk to members without it. Make another KVCluster and copy the data with kvorum export and kvorum import.',
  },
  {
    path: SPEC,
    rule: `${setting('shutdown.graceMs', 'self.config', { mayBeAbsent: true })} + ${1000 * STOP_OVERHEAD_SECONDS} <= self.terminationGracePeriodSeconds * 1000`,
    message: `spec.terminationGracePeriodSeconds must be at least ${STOP_OVERHEAD_SECONDS} s longer than shutdown.graceMs of spec.config. Raise it, or lower shutdown.graceMs.`,
  },
];

const RESP_RULES: readonly Rule[] = [
  {
    path: SPEC,
    rule: '!self.resp.enabled || self.service.ports.http != self.service.ports.resp',
    message:
      'spec.service.ports.http and spec.service.ports.resp must differ. Change one of them, or set spec.resp.enabled to false.',
  },
  {
    path: SPEC,
    rule: 'self.resp.enabled || !has(self.service.respNodePort)',
    message: 'spec.service.respNodePort needs spec.resp.enabled. Set that to true, or remove respNodePort.',
  },
];

const PART_RULES: readonly Rule[] = [
  {
    path: ['spec', 'image'],
    rule: 'has(self.tag) != has(self.digest)',
    message:
      'spec.image needs either tag or digest, and not both. To go from one to the other set the one that you leave to null.',
  },
  {
    path: ['spec', 'storage'],
    rule: 'quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0',
    message:
      'spec.storage.size may only grow: a volume cannot be made smaller. Keep the size, or make another KVCluster and copy the data with kvorum export and kvorum import.',
  },
  {
    path: ['spec', 'storage'],
    rule: `quantity(self.size).compareTo(quantity('${STORAGE_SIZE_MIN}')) >= 0`,
    message: `spec.storage.size must be at least ${STORAGE_SIZE_MIN}, since a part of it is kept free (storage.reserveBytes). Raise it.`,
  },
  {
    path: ['spec', 'storage'],
    rule: "(has(self.storageClassName) ? self.storageClassName : '') == (has(oldSelf.storageClassName) ? oldSelf.storageClassName : '')",
    message:
      'spec.storage.storageClassName cannot change, since volumes stay in their class. Keep it, or make another KVCluster and copy the data with kvorum export and kvorum import.',
  },
  {
    path: ['spec', 'service'],
    rule: "!has(self.nodePort) || self.type != 'ClusterIP'",
    message:
      'spec.service.nodePort needs spec.service.type NodePort or LoadBalancer. Set the type, or remove nodePort.',
  },
  {
    path: ['spec', 'service'],
    rule: "!has(self.respNodePort) || self.type != 'ClusterIP'",
    message:
      'spec.service.respNodePort needs spec.service.type NodePort or LoadBalancer. Set the type, or remove respNodePort.',
  },
  {
    path: ['spec', 'service'],
    rule: "!has(self.loadBalancerSourceRanges) || self.type == 'LoadBalancer'",
    message:
      'spec.service.loadBalancerSourceRanges needs spec.service.type LoadBalancer. Set the type, or remove the ranges (spec.networkPolicy.clients limits who may connect).',
  },
  ...(['peer', 'http'] as const).map((side) => ({
    path: ['spec', 'tls', side],
    rule: 'has(self.secretName) != has(self.issuerRef)',
    message: `spec.tls.${side} needs either secretName or issuerRef, and not both. Name a Secret with tls.crt, tls.key and ca.crt, or an issuer of cert-manager.`,
  })),
];

const OWNED_RULES: readonly Rule[] = OWNED_SETTINGS.map((name) => ({
  path: CONFIG,
  rule: `!has(self.${celName(name)})`,
  message: ownedMessage(name),
}));

/** The rules of store/config/consistency.ts, which the store would refuse to start by. */
const CONSISTENCY_RULES: readonly Rule[] = [
  {
    path: CONFIG,
    rule: `${setting('clock.aheadMs')} < ${setting('clock.skewMsMax')}`,
    message: 'clock.aheadMs must be below clock.skewMsMax. Lower the one, or raise the other.',
  },
  {
    path: CONFIG,
    rule: `${setting('replication.propagationMs')} >= 2 * ${setting('clock.skewMsMax')}`,
    message:
      'replication.propagationMs must be at least twice clock.skewMsMax. Raise the one, or lower the other.',
  },
  {
    path: CONFIG,
    rule: `${setting('replication.requestTimeoutMs')} <= ${setting('replication.requestTimeoutMsMax')}`,
    message:
      'replication.requestTimeoutMs must not be above replication.requestTimeoutMsMax. Lower the one, or raise the other.',
  },
];

export const RULES: readonly Rule[] = [
  ...ROOT_RULES,
  ...SPEC_RULES,
  ...RESP_RULES,
  ...PART_RULES,
  ...OWNED_RULES,
  ...CONSISTENCY_RULES,
];
