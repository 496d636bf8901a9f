import { z } from 'zod';
import { KVORUM_VERSION } from '../../store/version.ts';
import {
  annotations,
  handedThrough,
  instant,
  intOrQuantity,
  labels,
  objectName,
  quantity,
} from './fields.ts';
import type { clusterStatus } from './kvcluster-status.ts';
import { storeConfig } from './store-config.ts';

/**
 * KVCluster, the one source: types are inferred, defaults are what parsing fills in, and crd.ts makes the
 * CustomResourceDefinition of it. What a schema cannot say (what may not change, what must fit together) is in rules.ts.
 * A description becomes the text of `kubectl explain`.
 */
export const GROUP = 'kvorum.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'KVCluster';
export const PLURAL = 'kvclusters';
/** The Service between a KVCluster's pods has its name and this end. */
export const PEERS_SUFFIX = '-peers';

export const PORT_HTTP = 7400;
export const PORT_PEER = 7401;
export const PORT_RESP = 6379;
export const REPLICAS_MAX = 1000;

const image = z.object({
  repository: z
    .string()
    .min(1)
    .max(255)
    .default('ghcr.io/kvorum/kvorum')
    .describe('Where the image is, without tag'),
  tag: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/)
    .optional()
    .describe('Version of the store; either this or digest'),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional()
    .describe('sha256:... of the image; either this or tag'),
  pullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('When it is pulled'),
  pullSecrets: z
    .array(z.object({ name: objectName }))
    .max(20)
    .optional()
    .describe('Secrets to pull the image with'),
});

const keepOrDelete = z.enum(['Retain', 'Delete']).default('Retain');

const storage = z.object({
  size: quantity
    .default('10Gi')
    .describe('Size of the volume of each member; may grow where the class allows it'),
  storageClassName: objectName
    .optional()
    .describe('StorageClass of the volumes; the default one where absent'),
  retention: z
    .object({
      whenDeleted: keepOrDelete.describe('What becomes of the volumes when the KVCluster is deleted'),
      whenScaled: keepOrDelete.describe(
        'What becomes of the volume of a member that has left; one that is kept is deleted, with an event before, when its ordinal is needed again',
      ),
    })
    .prefault({})
    .describe('What becomes of volumes that are not needed any more'),
});

const resources = z.object({
  requests: z.record(z.string(), intOrQuantity).optional(),
  limits: z.record(z.string(), intOrQuantity).optional(),
});

const topologySpread = z.object({
  enabled: z.boolean().default(true),
  topologyKey: z
    .string()
    .min(1)
    .max(316)
    .default('topology.kubernetes.io/zone')
    .describe(
      'Label of nodes that says in which failure domain they are; replicas of a key are spread over these too',
    ),
  whenUnsatisfiable: z
    .enum(['ScheduleAnyway', 'DoNotSchedule'])
    .default('ScheduleAnyway')
    .describe('What to do with a pod that cannot be placed evenly'),
});

const portNumber = z.number().int().min(1).max(65_535);

const service = z.object({
  type: z
    .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
    .default('ClusterIP')
    .describe('How clients outside of Kubernetes get in, if at all'),
  annotations: annotations.optional().describe('Such as a load balancer of the cloud reads'),
  ports: z
    .object({
      http: portNumber.default(PORT_HTTP),
      resp: portNumber.default(PORT_RESP).describe('For clients of Redis, while spec.resp.enabled is true'),
    })
    .prefault({}),
  nodePort: portNumber
    .optional()
    .describe('Port on every node, for NodePort and LoadBalancer; drawn by Kubernetes where absent'),
  respNodePort: portNumber
    .optional()
    .describe('The same for clients of Redis: of one node at a time, since CLUSTER SLOTS names the pods'),
  loadBalancerSourceRanges: z
    .array(z.string().max(64))
    .max(100)
    .optional()
    .describe('Who may come through the load balancer, as 10.0.0.0/8'),
});

const certificate = z
  .object({
    secretName: objectName.optional().describe('Secret with tls.crt, tls.key and ca.crt'),
    issuerRef: z
      .object({ name: objectName, kind: z.enum(['Issuer', 'ClusterIssuer']).default('Issuer') })
      .optional()
      .describe('Issuer of cert-manager that is asked for a certificate'),
  })
  .describe('Either secretName or issuerRef');

const podMonitor = z.object({
  enabled: z.boolean().default(false),
  interval: z
    .string()
    .regex(/^([0-9]+(ms|s|m|h))+$/)
    .default('30s'),
  labels: labels.optional().describe('Labels by which a Prometheus finds it'),
});

const securityContext = z.object({
  runAsUser: z.number().int().min(1).max(2_147_483_647).default(1000),
  runAsGroup: z.number().int().min(1).max(2_147_483_647).default(1000),
  fsGroup: z.number().int().min(1).max(2_147_483_647).default(1000),
});

const toleration = z.object({
  key: z.string().max(316).optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().max(63).optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.number().int().min(0).max(2_147_483_647).optional(),
});

export const clusterSpec = z.object({
  replicas: z.number().int().min(1).max(REPLICAS_MAX).default(3).describe('Members of the cluster'),
  replicationFactor: z
    .number()
    .int()
    .min(1)
    .max(9)
    .default(3)
    .describe('Replicas of each key; a change moves data until every key has as many'),
  partitions: z
    .number()
    .int()
    .min(1)
    .max(4096)
    .refine((count) => Number.isInteger(Math.log2(count)), 'a power of two from 1 to 4096')
    .default(256)
    .describe('Slices of the data, a power of two; fixed when the cluster is made'),
  image: image
    .prefault({ tag: KVORUM_VERSION })
    .describe('Image of the store; that of the operator when the KVCluster is created, where absent'),
  storage: storage.prefault({}),
  resources: resources.optional().describe('Requests and limits of each pod'),
  zones: z
    .array(z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/))
    .min(1)
    .max(100)
    .optional()
    .describe('Pods run in these failure domains only, by topologySpread.topologyKey'),
  topologySpread: topologySpread.prefault({}).describe('Spreads pods over zones and nodes'),
  affinity: handedThrough('Affinity of the pods, as in a pod').optional(),
  tolerations: z.array(toleration).max(100).optional().describe('Taints of nodes that pods bear'),
  nodeSelector: labels.optional().describe('Labels of the nodes that pods may run on'),
  priorityClassName: objectName.optional().describe('Priority of the pods'),
  securityContext: securityContext.prefault({}).describe('Whom the process runs as, and who owns its volume'),
  podTemplate: z
    .object({ labels: labels.optional(), annotations: annotations.optional() })
    .optional()
    .describe('Labels and annotations that pods get besides'),
  config: storeConfig
    .optional()
    .describe('Settings of the store by their names, such as moves.bytesPerSecond'),
  service: service.prefault({}).describe('The Service that clients use'),
  resp: z
    .object({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'A port for clients of Redis, with the TLS and the tokens of HTTP; another value restarts the pods',
        ),
    })
    .prefault({})
    .describe('What clients of Redis speak to'),
  tls: z
    .object({
      peer: certificate.optional().describe('Encrypts and authenticates what members say to each other'),
      http: certificate.optional().describe('Encrypts what clients say'),
    })
    .optional(),
  auth: z
    .object({
      enabled: z.boolean().default(false),
      secretName: objectName
        .optional()
        .describe(
          'Secret with tokens.yaml, and with the tokens admin and metrics of it, for the operator and Prometheus; NAME-auth is made where absent',
        ),
    })
    .prefault({})
    .describe('Whether requests need a token'),
  monitoring: z.object({ podMonitor: podMonitor.prefault({}) }).prefault({}),
  podDisruptionBudget: z
    .object({ enabled: z.boolean().default(true) })
    .prefault({})
    .describe('Lets Kubernetes evict one pod at a time where the store can lose one'),
  networkPolicy: z
    .object({
      enabled: z.boolean().default(true),
      clients: z
        .array(handedThrough('A peer, as in a NetworkPolicy: podSelector, namespaceSelector or ipBlock'))
        .max(50)
        .optional()
        .describe('Who may reach the ports for clients, beside the operator; everybody where absent'),
    })
    .prefault({})
    .describe('The peer port is for members only'),
  paused: z
    .boolean()
    .default(false)
    .describe('The operator changes nothing while this is true; status goes on'),
  restartedAt: instant.optional().describe('Another value restarts all pods, one at a time'),
  replacePolicy: z
    .object({
      mode: z
        .enum(['Automatic', 'Manual'])
        .default('Automatic')
        .describe('Whether a member that is lost with its volume is replaced by itself'),
      afterSeconds: z
        .number()
        .int()
        .min(1)
        .max(2_592_000)
        .default(600)
        .describe('How long a member must be away before it counts as lost'),
    })
    .prefault({}),
  terminationGracePeriodSeconds: z
    .number()
    .int()
    .min(15)
    .max(3600)
    .default(120)
    .describe(
      'Time for a pod to wait until it may go, to hand over what it leads, and to end what it serves',
    ),
});

export type KVClusterSpec = z.output<typeof clusterSpec>;
/** As a user writes it, before defaults. */
export type KVClusterSpecInput = z.input<typeof clusterSpec>;
export type KVClusterStatus = z.output<typeof clusterStatus>;

/** What of the metadata the operator uses; the API server fills in the rest. */
export type KVClusterMetadata = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly finalizers?: readonly string[] | undefined;
};

export type KVCluster = {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: typeof KIND;
  readonly metadata: KVClusterMetadata;
  readonly spec: KVClusterSpec;
  readonly status?: KVClusterStatus | undefined;
};
