import { clusterSpec, GROUP, KIND, PLURAL, VERSION } from './kvcluster.ts';
import { clusterStatus } from './kvcluster-status.ts';
import { RULES, type Rule } from './rules.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

/** The CustomResourceDefinition, from the schemas and the rules. */

type PrinterColumn = {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 0 is shown always, 1 with `-o wide`. */
  readonly priority?: 0 | 1;
};

/** What `kubectl get kvc` answers: is it fine, and if not, what is being done. */
const PRINTER_COLUMNS: readonly PrinterColumn[] = [
  {
    name: 'Ready',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: 'True where every key can be read and written',
  },
  { name: 'Members', type: 'string', jsonPath: '.status.membersReady', description: 'Ready of wanted' },
  {
    name: 'Operation',
    type: 'string',
    jsonPath: '.status.operation.kind',
    description: 'What is done with the data',
  },
  {
    name: 'Percent',
    type: 'integer',
    jsonPath: '.status.operation.percent',
    description: 'How far the operation is',
  },
  {
    name: 'Status',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
    description: 'Why it is ready, or not',
  },
  { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Oldest version that runs' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since it was created' },
  {
    name: 'Leader',
    type: 'string',
    jsonPath: '.status.leader',
    description: 'Who leads the topology',
    priority: 1,
  },
  {
    name: 'Blocked by',
    type: 'string',
    jsonPath: '.status.operation.blockedBy',
    description: 'What the operation waits for',
    priority: 1,
  },
  {
    name: 'Message',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    description: 'What is, and what to do',
    priority: 1,
  },
];

const METADATA: StructuralSchema = { type: 'object' };

/** The schema of a whole object: apiVersion, kind, metadata, spec, status. */
export function objectSchema(): StructuralSchema {
  const spec = structuralSchema(clusterSpec);
  const root: StructuralSchema = {
    type: 'object',
    description: 'A Kvorum cluster: members, data, and how they are kept.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: METADATA,
      spec: { ...spec, description: 'What is wanted.' },
      status: { ...structuralSchema(clusterStatus), description: 'What is; written by the operator.' },
    },
  };
  return RULES.reduce(withRule, root);
}

function withRule(schema: StructuralSchema, { path, rule, message }: Rule): StructuralSchema {
  const [name, ...rest] = path;
  if (name === undefined) {
    const before = schema['x-kubernetes-validations'] ?? [];
    return { ...schema, 'x-kubernetes-validations': [...before, { rule, message }] };
  }
  const inner = schema.properties?.[name];
  if (inner === undefined)
    throw new Error(`a rule names the property ${name}, which the schema does not have`);
  return {
    ...schema,
    properties: { ...schema.properties, [name]: withRule(inner, { path: rest, rule, message }) },
  };
}

export type CustomResourceDefinition = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
};

export function customResourceDefinition(): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['kvc'],
        categories: ['all', 'kvorum'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: PRINTER_COLUMNS,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          schema: { openAPIV3Schema: objectSchema() },
        },
      ],
    },
  };
}
