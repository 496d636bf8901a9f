import { SETTINGS } from '../../store/config/settings.ts';
import type { KVClusterSpecInput } from './kvcluster.ts';
import { OWNED_SETTINGS, ownedMessage } from './store-config.ts';

/**
 * Specifications with what an API server says to them: an accepted one, or one for each rule. The unit tests hold every rule
 * against this list, and the end-to-end tests every entry against a real API server.
 */
export type SpecExample = {
  readonly name: string;
  readonly spec: KVClusterSpecInput;
  /** What is stored already: the entry is an update of it. Absent: it is created. */
  readonly old?: KVClusterSpecInput;
  /** How the message begins that refuses it; undefined where it is accepted. */
  readonly refusal?: string;
};

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

const ACCEPTED: readonly SpecExample[] = [
  { name: 'nothing but defaults', spec: {} },
  { name: 'an update that changes nothing', spec: {}, old: {} },
  { name: 'one member', spec: { replicas: 1, replicationFactor: 1 } },
  { name: 'a grown volume', spec: { storage: { size: '20Gi' } }, old: {} },
  { name: 'the same size in other words', spec: { storage: { size: '10240Mi' } }, old: {} },
  {
    name: 'settings of the store',
    spec: { config: { 'moves.partitionsMax': 8, 'log.level': 'debug', 'cluster.rebalance': false } },
  },
  { name: 'the engine as it is by default', spec: { config: { 'storage.engine': 'auto' } }, old: {} },
  { name: 'an image by its digest', spec: { image: { digest: DIGEST } } },
  {
    name: 'resources as people write them',
    spec: { resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '1.5Gi' } } },
  },
  { name: 'the shortest grace period', spec: { terminationGracePeriodSeconds: 15 } },
  { name: 'a port of every node', spec: { service: { type: 'NodePort', nodePort: 30_740 } } },
  {
    name: 'a port of every node for clients of Redis',
    spec: { service: { type: 'NodePort', respNodePort: 30_637 } },
  },
  { name: 'no port for clients of Redis', spec: { resp: { enabled: false } }, old: {} },
  {
    name: 'the usual port of Redis for HTTP',
    spec: { resp: { enabled: false }, service: { ports: { http: 6379 } } },
  },
  { name: 'clients of one namespace', spec: { networkPolicy: { clients: [{ namespaceSelector: {} }] } } },
  { name: 'TLS by cert-manager', spec: { tls: { peer: { issuerRef: { name: 'ca' } } } } },
  {
    name: 'another Secret for TLS',
    spec: { tls: { peer: { secretName: 'new' } } },
    old: { tls: { peer: { secretName: 'old' } } },
  },
];

const REFUSED: readonly SpecExample[] = [
  { name: 'fewer members than replicas', spec: { replicas: 2 }, refusal: 'spec.replicas must be at least' },
  {
    name: 'partitions that halve nothing',
    spec: { partitions: 100 },
    refusal: 'spec.partitions must be a power of two',
  },
  { name: 'other partitions', spec: { partitions: 128 }, old: {}, refusal: 'spec.partitions is fixed' },
  {
    name: 'another engine',
    spec: { config: { 'storage.engine': 'leveldb' } },
    old: {},
    refusal: 'storage.engine is fixed',
  },
  {
    name: 'TLS for a running cluster',
    spec: { tls: { peer: { secretName: 'peers' } } },
    old: {},
    refusal: 'spec.tls.peer cannot be added or removed',
  },
  {
    name: 'no time to end what is in flight',
    spec: { terminationGracePeriodSeconds: 15, config: { 'shutdown.graceMs': 12_000 } },
    refusal: 'spec.terminationGracePeriodSeconds must be at least',
  },
  {
    name: 'neither tag nor digest',
    spec: { image: { pullPolicy: 'Always' } },
    refusal: 'spec.image needs either',
  },
  {
    name: 'tag and digest',
    spec: { image: { tag: 'v1', digest: DIGEST } },
    refusal: 'spec.image needs either',
  },
  {
    name: 'a smaller volume',
    spec: { storage: { size: '9Gi' } },
    old: {},
    refusal: 'spec.storage.size may only grow',
  },
  {
    name: 'a tiny volume',
    spec: { storage: { size: '500Mi' } },
    refusal: 'spec.storage.size must be at least 1Gi',
  },
  {
    name: 'another class',
    spec: { storage: { storageClassName: 'fast' } },
    old: {},
    refusal: 'spec.storage.storageClassName cannot change',
  },
  {
    name: 'a node port of no use',
    spec: { service: { nodePort: 30_740 } },
    refusal: 'spec.service.nodePort needs',
  },
  {
    name: 'a node port for Redis of no use',
    spec: { service: { respNodePort: 30_637 } },
    refusal: 'spec.service.respNodePort needs spec.service.type',
  },
  {
    name: 'a node port of a port that is closed',
    spec: { resp: { enabled: false }, service: { type: 'NodePort', respNodePort: 30_637 } },
    refusal: 'spec.service.respNodePort needs spec.resp.enabled',
  },
  {
    name: 'one port for two protocols',
    spec: { service: { ports: { http: 6379 } } },
    refusal: 'spec.service.ports.http and spec.service.ports.resp must differ',
  },
  {
    name: 'source ranges of no use',
    spec: { service: { loadBalancerSourceRanges: ['10.0.0.0/8'] } },
    refusal: 'spec.service.loadBalancerSourceRanges needs',
  },
  {
    name: 'two sources of one certificate',
    spec: { tls: { peer: { secretName: 'peers', issuerRef: { name: 'ca' } } } },
    refusal: 'spec.tls.peer needs either',
  },
  {
    name: 'a certificate of nobody',
    spec: { tls: { http: {} } },
    refusal: 'spec.tls.http needs either',
  },
  {
    name: 'versions ahead of what peers accept',
    spec: { config: { 'clock.aheadMs': 600 } },
    refusal: 'clock.aheadMs must be below',
  },
  {
    name: 'floors within the skew',
    spec: { config: { 'replication.propagationMs': 900 } },
    refusal: 'replication.propagationMs must be at least',
  },
  {
    name: 'a usual timeout beyond the longest',
    spec: { config: { 'replication.requestTimeoutMs': 9000, 'replication.requestTimeoutMsMax': 8000 } },
    refusal: 'replication.requestTimeoutMs must not be above',
  },
];

const OWNED: readonly SpecExample[] = OWNED_SETTINGS.map((name) => ({
  name: `${name}, which the operator sets`,
  spec: { config: { [name]: SETTINGS[name].default } },
  refusal: ownedMessage(name),
}));

export const SPEC_EXAMPLES: readonly SpecExample[] = [...ACCEPTED, ...REFUSED, ...OWNED];
