import { z } from 'zod';
import type { HttpOptions } from './http-options.ts';
import { DNS_LABEL } from './request-target.ts';
import { integerText } from './schema-text.ts';

// What the state machine and the settings allow; they check again.
const PARTITIONS_MAX = 4096;
export const REPLICATION_FACTOR_MAX = 9;
const WEIGHT_MAX = 1000;
const ZONE = /^[A-Za-z0-9._-]{0,63}$/;

export const memberName = z
  .string()
  .regex(DNS_LABEL, 'a member name is a DNS label: a-z, 0-9, inner hyphens, 63 at most');
export const consistency = z.enum(['linearizable', 'local']).optional();

/** The schemas that validate requests about the cluster. */
export function clusterSchemas(options: HttpOptions) {
  return {
    consistencyQuery: z.strictObject({ consistency }),
    topologyQuery: z.strictObject({
      consistency,
      after: integerText(0, Number.MAX_SAFE_INTEGER).optional(),
      waitMs: integerText(0, options.topologyWaitMsMax).optional(),
    }),
    bootstrapBody: z.strictObject({
      clusterId: z
        .string()
        .regex(/^[0-9a-f]{32}$/, '32 hexadecimal digits in lower case')
        .optional(),
      replicationFactor: z.int().min(1).max(REPLICATION_FACTOR_MAX).optional(),
      partitions: z
        .int()
        .min(1)
        .max(PARTITIONS_MAX)
        .refine((count) => Number.isInteger(Math.log2(count)), 'a power of two from 1 to 4096')
        .optional(),
    }),
    memberBody: z
      .strictObject({
        weight: z.int().min(1).max(WEIGHT_MAX).optional(),
        zone: z.string().regex(ZONE, 'at most 63 letters, digits, dots, hyphens and underscores').optional(),
      })
      .refine((change) => Object.keys(change).length > 0, 'give weight, zone, or both')
      .meta({ minProperties: 1 }),
    transferBody: z.strictObject({ to: memberName.optional() }),
  };
}

export const epoch = z.int().min(0);
const liveness = z.enum(['alive', 'suspect', 'dead', 'left']);
export const nodeState = z.enum(['waiting', 'joining', 'member', 'excluded']);

const member = {
  number: z.int(),
  name: z.string(),
  directoryId: z.string(),
  weight: z.int(),
  state: z.enum(['waiting', 'up']),
  isDraining: z.boolean(),
  peerAddress: z.string(),
  httpAddress: z.string(),
  respAddress: z.string().optional(),
  zone: z.string(),
  zoneReplaced: z.string().optional(),
  version: z.string(),
  incarnation: z.int(),
  life: z.string(),
};

const clusterStatus = z.object({
  node: z.object({
    name: z.string(),
    state: nodeState,
    reason: z.string().optional(),
    member: z.int().optional(),
    incarnation: z.int().optional(),
    role: z.enum(['leader', 'follower', 'pre-candidate', 'candidate']).optional(),
    isVoter: z.boolean(),
  }),
  clusterId: z.string().optional(),
  epoch,
  leader: z.object({ member: z.int(), name: z.string() }).optional(),
  term: z.int(),
  commitIndex: z.int(),
  appliedIndex: z.int(),
  quorum: z.object({
    state: z.enum(['ok', 'degraded', 'lost', 'none']),
    voters: z.array(z.object({ member: z.int(), name: z.string(), liveness })),
    needed: z.int(),
    missing: z.array(z.string()),
    reason: z.string().optional(),
  }),
  members: z.object({ total: z.int(), alive: z.int(), suspect: z.int(), dead: z.int() }),
});

const memberView = z.object({
  ...member,
  liveness,
  address: z.string(),
  appliedEpoch: epoch,
  load: z.number(),
  isVoter: z.boolean(),
  isLeader: z.boolean(),
});

export const moveStage = z.enum(['joint', 'transfer', 'switch']);
const members = z.array(z.int());
const move = z.object({
  session: z.int(),
  to: members,
  stage: moveStage,
  entered: members.optional(),
  confirmed: members.optional(),
  sources: members.optional(),
  synced: z.array(z.object({ member: z.int(), sources: members })).optional(),
});

const topology = z.object({
  clusterId: z.string(),
  epoch,
  settings: z.object({ partitions: z.int(), replicationFactor: z.int() }),
  members: z.array(z.object(member)),
  partitions: z.array(z.object({ replicas: members, epoch, move: move.optional() })),
  namespaces: z.array(
    z.object({
      name: z.string(),
      id: z.int(),
      consistency: z.literal('quorum'),
      createdAt: z.string(),
    }),
  ),
});

/** What answers about the cluster look like. */
export const clusterAnswerSchemas = {
  ClusterStatus: clusterStatus,
  MemberList: z.object({ epoch, members: z.array(memberView) }),
  Topology: topology,
  Bootstrapped: z.object({ clusterId: z.string(), created: z.boolean() }),
  MemberChanged: z.object({ epoch, member: z.int() }),
  LeadershipTransferred: z.object({ leader: z.string() }),
};
