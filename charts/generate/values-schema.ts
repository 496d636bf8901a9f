import { z } from 'zod';
import { clusterSpec } from '../../operator/api/kvcluster.ts';

/**
 * values.schema.json: what Helm refuses before it asks Kubernetes. Nothing unknown is let pass, so that a misspelt value is told of;
 * in `cluster.spec` too, where Kubernetes would drop it without a word.
 */
const text = z.string();
const flag = z.boolean();
const texts = z.record(z.string(), z.string());
const anything = z.record(z.string(), z.unknown());
const list = z.array(anything);
const enabled = z.strictObject({ enabled: flag });
const name = z.string().regex(/^([a-z]([a-z0-9-]*[a-z0-9])?)?$/);

const monitoring = z.strictObject({
  podMonitor: z.strictObject({
    enabled: flag,
    interval: z.string().regex(/^([0-9]+(ms|s|m|h))+$/),
    labels: texts,
  }),
  prometheusRule: z.strictObject({ enabled: flag, labels: texts }),
  grafanaDashboard: z.strictObject({ enabled: flag, labels: texts, annotations: texts }),
});

const values = z.strictObject({
  replicaCount: z.number().int().min(0).max(10),
  image: z.strictObject({
    repository: z.string().min(1),
    tag: text,
    digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  }),
  imagePullSecrets: z.array(z.strictObject({ name: text })),
  nameOverride: text,
  fullnameOverride: text,
  operator: z.strictObject({
    watchNamespaces: z.array(z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)),
    logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error']),
    extraArgs: z.array(text),
    extraEnv: list,
  }),
  crds: z.strictObject({ create: flag, keep: flag }),
  rbac: z.strictObject({ create: flag, clusterReads: flag, aggregateClusterRoles: flag }),
  serviceAccount: z.strictObject({ create: flag, name: text, annotations: texts }),
  resources: anything,
  podSecurityContext: anything,
  containerSecurityContext: anything,
  podLabels: texts,
  podAnnotations: texts,
  commonLabels: texts,
  commonAnnotations: texts,
  nodeSelector: texts,
  tolerations: list,
  affinity: anything,
  topologySpreadConstraints: list,
  priorityClassName: text,
  podDisruptionBudget: enabled,
  networkPolicy: enabled,
  monitoring,
  cluster: z.strictObject({ create: flag, name: name.max(45), spec: clusterSpec }),
  extraObjects: list,
});

export function valuesSchema(): string {
  const schema = z.toJSONSchema(values.partial(), {
    target: 'draft-07',
    io: 'input',
    override: ({ jsonSchema }) => refuseUnknown(jsonSchema as Record<string, unknown>),
  }) as Record<string, unknown>;
  // What a chart that this one is a part of may set for all of its parts.
  (schema.properties as Record<string, unknown>).global = { type: 'object' };
  return `${JSON.stringify({ ...schema, title: 'Values of the chart kvorum' }, undefined, 2)}\n`;
}

/** Objects with named fields have no others, and a patch of a default is complete without the fields that it keeps. */
function refuseUnknown(schema: Record<string, unknown>): void {
  if (schema.properties !== undefined) schema.additionalProperties = false;
  delete schema.default;
  for (const keyword of Object.keys(schema)) if (keyword.startsWith('x-kubernetes-')) delete schema[keyword];
}
