import { z } from 'zod';
import { moveStage } from './cluster-schemas.ts';
import type { HttpOptions } from './http-options.ts';
import { DNS_LABEL } from './request-target.ts';
import { booleanText, integerText } from './schema-text.ts';

/** The schemas that validate requests about replicated data; `range` are the parameters of a scan. */
export function dataSchemas<Range extends z.core.$ZodLooseShape>(options: HttpOptions, range: Range) {
  return {
    ringQuery: z.strictObject({
      after: integerText(0, Number.MAX_SAFE_INTEGER).optional(),
      waitMs: integerText(0, options.topologyWaitMsMax).optional(),
    }),
    verifyQuery: z.strictObject({
      node: z.string().regex(DNS_LABEL, 'a member name is a DNS label').optional(),
    }),
    localQuery: z.strictObject({ ...range, tombstones: booleanText().optional() }),
  };
}

const epoch = z.int().min(0);
const version = z.string();
const key = { key: z.string().optional(), keyBase64: z.string().optional() };
const member = { member: z.int(), name: z.string() };
const load = { primaries: z.int(), ideal: z.number(), deviation: z.number() };
const moving = { movingTo: z.array(z.int()).optional(), stage: moveStage.optional() };
const place = { ...key, slot: z.int(), partition: z.int(), epoch };

const ring = z.object({
  epoch,
  partitions: z.int(),
  replicationFactor: z.int(),
  members: z.array(
    z.object({
      number: z.int(),
      name: z.string(),
      httpAddress: z.string(),
      respAddress: z.string().optional(),
      zone: z.string(),
      isUp: z.boolean(),
      weight: z.int(),
    }),
  ),
  sets: z.array(z.object({ replicas: z.array(z.int()), epoch, ...moving })),
  balance: z.object({
    members: z.array(
      z.object({ member: z.int(), zone: z.string().optional(), partitions: z.int(), ...load }),
    ),
    zones: z.array(z.object({ zone: z.string(), members: z.int(), replicas: z.int(), ...load })),
  }),
});

const keyReport = z.object({
  epoch,
  version: version.optional(),
  isTombstone: z.boolean(),
  expiresAt: z.string().optional(),
  bytes: z.int(),
  isCorrupt: z.boolean(),
  floor: version,
  watermark: version,
  lastExchange: z.array(z.object({ member: z.int(), at: z.string() })),
  treeState: z.enum(['ready', 'building']),
});

const keyExplanation = z.object({
  namespace: z.string(),
  ...place,
  safety: z.enum(['safe', 'degraded', 'at-risk', 'absent', 'unknown']),
  verdict: z.string(),
  replicas: z.array(
    z.object({
      ...member,
      isUp: z.boolean(),
      isReachable: z.boolean(),
      report: keyReport.optional(),
      error: z.string().optional(),
    }),
  ),
  hints: z.array(z.object({ keeper: z.string(), owner: z.string(), version })),
});

const localPage = z.object({
  entries: z.array(
    z.object({
      ...key,
      version,
      value: z.string().optional(),
      valueBase64: z.string().optional(),
      contentType: z.string().optional(),
      expiresAt: z.string().optional(),
      partition: z.int(),
      isTombstone: z.boolean(),
      isExpired: z.boolean(),
    }),
  ),
  cursor: z.string().nullable(),
});

const dataStatus = z.object({
  replica: z.object({ state: z.enum(['ok', 'out']), reason: z.string().optional() }),
  hints: z.object({
    bytes: z.number(),
    count: z.int(),
    owners: z.array(z.object({ owner: z.int(), count: z.int(), bytes: z.number(), oldestAt: z.string() })),
  }),
  exchange: z.object({
    lastRoundAt: z.string().optional(),
    partitions: z.int(),
    partitionsEqual: z.int(),
    keysRepaired: z.int(),
    bytesSent: z.number(),
  }),
  trees: z.object({ ready: z.int(), building: z.int() }),
});

/** A line of a verification; the last one is no `progress`. `problem` is a problem document. */
const verifyLine = z.object({
  type: z.enum(['progress', 'report', 'problem']),
  problem: z.looseObject({ code: z.string(), detail: z.string() }).optional(),
  done: z.int().optional(),
  total: z.int().optional(),
  partitions: z.int().optional(),
  equal: z.int().optional(),
  keysRepaired: z.int().optional(),
  bytesSent: z.number().optional(),
  unproven: z.array(z.int()).optional(),
  problems: z.array(z.string()).optional(),
  members: z
    .array(z.object({ ...member, partitions: z.int(), equal: z.int(), error: z.string().optional() }))
    .optional(),
});

/** What answers about replicated data look like. */
export const dataAnswerSchemas = {
  Ring: ring,
  KeyPlace: z.object({
    ...place,
    ...moving,
    replicas: z.array(
      z.object({ ...member, isUp: z.boolean(), isPrimary: z.boolean(), httpAddress: z.string() }),
    ),
  }),
  KeyExplanation: keyExplanation,
  VerifyLine: verifyLine,
  LocalPage: localPage,
  RepairStatus: dataStatus,
};
