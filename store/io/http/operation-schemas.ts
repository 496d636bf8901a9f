import { z } from 'zod';
import { LIMITS, REQUESTER } from '../../core/topology/limits.ts';
import { consistency, epoch, memberName, REPLICATION_FACTOR_MAX } from './cluster-schemas.ts';
import { booleanText } from './schema-text.ts';

const TYPES = ['drain', 'replace', 'rebalance', 'factor'] as const;
const STATES = ['running', 'done', 'cancelled'] as const;

/** The fields that a body has beside `type`, `force` and `by`. */
const OWN_FIELDS: Readonly<Record<string, readonly string[]>> = {
  drain: ['member'],
  replace: ['member'],
  rebalance: [],
  factor: ['replicationFactor'],
};

/** What the body of an operation may have, as far as its type is known. */
export function operationFields(document: unknown): readonly string[] {
  const { type } = (document ?? {}) as { readonly type?: unknown };
  return ['type', ...(OWN_FIELDS[String(type)] ?? []), 'force', 'by'];
}

/** The schemas that validate requests about operations. */
export function operationSchemas() {
  const common = {
    force: z.boolean().optional(),
    by: z
      .string()
      .min(1)
      .max(LIMITS.textCharactersMax)
      .regex(REQUESTER, 'text without control characters')
      .optional(),
  };
  return {
    operationsQuery: z.strictObject({ consistency, state: z.enum(STATES).optional() }),
    canStopQuery: z.strictObject({ look: booleanText().optional() }),
    operationBody: z.discriminatedUnion(
      'type',
      [
        z.strictObject({ type: z.literal('drain'), member: memberName, ...common }),
        z.strictObject({ type: z.literal('replace'), member: memberName, ...common }),
        z.strictObject({ type: z.literal('rebalance'), ...common }),
        z.strictObject({
          type: z.literal('factor'),
          replicationFactor: z.int().min(1).max(REPLICATION_FACTOR_MAX),
          ...common,
        }),
      ],
      { error: ({ code }) => (code === 'invalid_union' ? `one of ${TYPES.join(', ')}` : undefined) },
    ),
  };
}

const operation = z.object({
  id: z.string(),
  type: z.enum(TYPES),
  state: z.enum(STATES),
  by: z.string(),
  at: z.string(),
  endedAt: z.string().optional(),
  member: z.string().optional(),
  replicationFactor: z.int().optional(),
  partitions: z.int(),
  partitionsLeft: z.int(),
  partitionsMoving: z.int(),
  stages: z.object({ joint: z.int(), transfer: z.int(), switch: z.int() }),
  blockedBy: z.string().optional(),
  bytesMoved: z.number().optional(),
  bytesLeft: z.number().optional(),
  bytesPerSecond: z.number().optional(),
  etaSeconds: z.number().optional(),
});

/** What answers about operations look like. */
export const operationAnswerSchemas = {
  OperationList: z.object({ epoch, operations: z.array(operation) }),
  Operation: operation,
  OperationStarted: z.object({ epoch, operation: z.string().nullable() }),
  OperationCancelled: z.object({ epoch, operation: z.string() }),
  StopVerdict: z.object({
    canStop: z.boolean(),
    reasons: z.array(z.string()),
    partitions: z.array(z.int()),
    until: z.string().optional(),
  }),
  NodeStopping: z.object({ node: z.string() }),
};
