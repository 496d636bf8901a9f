import { z } from 'zod';

/** The status of a KVCluster: what is, derived anew in each reconcile, and `clusterId`, which is intent and never changes. */
export const CONDITION_TYPES = [
  'Ready',
  'Progressing',
  'Degraded',
  'ScalingUp',
  'ScalingDown',
  'Upgrading',
  'Healing',
  'Paused',
] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** As api-conventions.md of Kubernetes has it. */
const condition = z.object({
  type: z.string().min(1).max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z
    .string()
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('One word that a program can compare'),
  message: z.string().max(32_768).describe('A sentence for people: what is, and what to do'),
  observedGeneration: z.number().int().min(0).optional(),
  lastTransitionTime: z.string().meta({ format: 'date-time' }),
});
export type Condition = z.output<typeof condition>;

export const MEMBER_STATES = ['absent', 'waiting', 'joining', 'up', 'draining', 'down', 'left'] as const;
export type MemberState = (typeof MEMBER_STATES)[number];

const member = z.object({
  name: z.string().describe('Name of the pod and of the member'),
  number: z.number().int().min(0).optional().describe('Number in the topology of the store'),
  state: z.enum(MEMBER_STATES),
  version: z.string().optional(),
  ready: z.boolean(),
  zone: z.string().optional(),
});
export type MemberStatus = z.output<typeof member>;

const operation = z.object({
  id: z.string().describe('Such as drain-17: kvorum operations watch drain-17'),
  kind: z.enum(['drain', 'replace', 'rebalance', 'factor']),
  percent: z.number().int().min(0).max(100),
  movesLeft: z.number().int().min(0).describe('Partitions that have still to move'),
  bytesLeft: z.number().int().min(0).optional(),
  etaSeconds: z.number().int().min(0).optional(),
  blockedBy: z.string().max(1024).optional().describe('What most of what is left waits for'),
});
export type OperationStatus = z.output<typeof operation>;

export const clusterStatus = z.object({
  observedGeneration: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Newest generation of the spec that was seen'),
  conditions: z
    .array(condition)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  clusterId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional()
    .describe('Identity of the store, drawn once before it is made'),
  epoch: z.number().int().min(0).optional().describe('Epoch of the topology'),
  leader: z.string().optional().describe('Member that leads the topology'),
  version: z.string().optional().describe('Oldest version that a member runs'),
  members: z
    .array(member)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  membersReady: z.string().optional().describe('Ready of wanted, such as 3/3'),
  replicas: z.number().int().min(0).optional().describe('Pods that exist'),
  readyReplicas: z.number().int().min(0).optional(),
  selector: z.string().optional().describe('Label selector of the pods, for kubectl scale and autoscalers'),
  operation: operation.optional().describe('What is done with the data at present'),
  endpoints: z
    .object({ client: z.string(), resp: z.string().optional(), headless: z.string() })
    .optional()
    .describe('host:port for clients, and for those of Redis; the name that stands for all members'),
  currentRevision: z.string().optional().describe('Hash of what pods are made of'),
});
