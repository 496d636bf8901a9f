import { objectSchema } from '../../operator/api/crd.ts';
import { RULES } from '../../operator/api/rules.ts';
import type { StructuralSchema } from '../../operator/api/structural-schema.ts';

/** docs/kvcluster.md: every field of the specification and the status, and every rule, from the schema of the CRD. */

type FieldRow = { readonly path: string; readonly schema: StructuralSchema };

/** Depth first, in the order of the schema; settings of the store have a page of their own. */
function fieldsOf(schema: StructuralSchema, prefix: string): readonly FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`;
    const isList = inner.items?.properties !== undefined;
    const nested =
      name === 'config'
        ? []
        : fieldsOf(isList ? (inner.items ?? {}) : inner, isList ? `${path}[].` : `${path}.`);
    const isOnlyNesting = inner.description === undefined && nested.length > 0;
    return isOnlyNesting ? nested : [{ path, schema: inner }, ...nested];
  });
}

function row({ path, schema }: FieldRow): string {
  const isLeaf = schema.properties === undefined;
  const fallback = schema.default === undefined || !isLeaf ? '' : `\`${JSON.stringify(schema.default)}\``;
  return `| \`${path}\` | ${allowed(schema)} | ${fallback} | ${(schema.description ?? '').replaceAll('|', '\\|')} |`;
}

function allowed(schema: StructuralSchema): string {
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
  if (schema.enum !== undefined) return schema.enum.map((each) => `\`${each}\``).join(', ');
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${schema.type}, from ${minimum}`;
  if (schema.type === 'array') return 'list';
  return schema.additionalProperties === undefined ? (schema.type ?? '') : 'mapping';
}

export function kvclusterPage(): string {
  const { spec, status } = objectSchema().properties ?? {};
  const table = (schema: StructuralSchema | undefined): string =>
    fieldsOf(schema ?? {}, '')
      .map(row)
      .join('\n');
  const rules = RULES.map(({ path, message }) => `| \`${path.join('.') || 'metadata.name'}\` | ${message} |`);
  return `# KVCluster

A cluster of Kvorum on Kubernetes, \`kvorum.dev/v1alpha1\`, short name \`kvc\`. Everything has a default: \`spec: {}\` is a cluster of three members with three
replicas of each key. \`kubectl explain kvc.spec\` shows the same. This page is made from the schemas in operator/api; a test keeps it so.

    apiVersion: kvorum.dev/v1alpha1
    kind: KVCluster
    metadata: {name: demo}
    spec:
      replicas: 5
      storage: {size: 100Gi}
      config:
        moves.bytesPerSecond: 134217728

## Specification

| field | allowed | default | what it is |
| --- | --- | --- | --- |
${table(spec)}

\`config\` takes the settings of [configuration.md](configuration.md) but for those that the operator sets. A change of \`image\`, \`resources\`,
\`restartedAt\`, where pods run, or settings in \`config\` that are not live restarts the pods, one at a time; live settings, \`replacePolicy\`, \`replicas\`, \`replicationFactor\`,
\`storage\`, \`service\`, \`monitoring\`, \`podDisruptionBudget\`, \`networkPolicy\` and \`paused\` restart none.

## What is refused

The API server says so where the object is written; nothing runs for it.

| at | message |
| --- | --- |
${rules.join('\n')}

## Status

| field | allowed | default | what it is |
| --- | --- | --- | --- |
${table(status)}
`;
}
