import {
  bootstrapCluster,
  getCluster,
  listMembers,
  patchMember,
  removeMember,
  transferLeadership,
} from './cluster-handlers.ts';
import type { Route } from './route.ts';
import {
  BODY_ERRORS,
  CHANGE_ERRORS,
  MEMBER_ERRORS,
  NODE_ERRORS,
  QUERY_ERRORS,
  READ_ERRORS,
} from './route-errors.ts';
import { getTopology } from './topology-handler.ts';

const IF_NONE_MATCH = 'Epochs that the reader has, quoted: `"17"`.';

/** The cluster as people and programs see and change it. Any node answers; what it cannot do itself the leader does. */
export const clusterRoutes: readonly Route[] = [
  {
    template: '/v1/cluster',
    pattern: /^\/v1\/cluster$/,
    isProbe: true,
    operations: {
      GET: {
        summary: 'The cluster as this node sees it, answered without asking anybody',
        handle: getCluster,
        needs: 'read',
        answers: { 200: { description: 'Its status.', schema: 'ClusterStatus' } },
        errors: [],
      },
    },
  },
  {
    template: '/v1/cluster:bootstrap',
    pattern: /^\/v1\/cluster:bootstrap$/,
    operations: {
      POST: {
        summary: 'Make a new cluster of this node; the same cluster id again is a success',
        handle: bootstrapCluster,
        needs: 'admin',
        body: 'bootstrapBody',
        answers: {
          200: { description: 'The node is of this cluster already.', schema: 'Bootstrapped' },
          201: { description: 'It was made.', schema: 'Bootstrapped' },
        },
        errors: [...BODY_ERRORS, ...NODE_ERRORS, 'ALREADY_BOOTSTRAPPED', 'STORAGE_FULL'],
      },
    },
  },
  {
    template: '/v1/cluster:transfer-leadership',
    pattern: /^\/v1\/cluster:transfer-leadership$/,
    operations: {
      POST: {
        summary: 'Hand the leadership to a voter, or to the one that the leader chooses',
        handle: transferLeadership,
        needs: 'admin',
        body: 'transferBody',
        answers: { 200: { description: 'Who leads now.', schema: 'LeadershipTransferred' } },
        errors: [...BODY_ERRORS, ...CHANGE_ERRORS, ...MEMBER_ERRORS, 'TRANSFER_REFUSED'],
      },
    },
  },
  {
    template: '/v1/members',
    pattern: /^\/v1\/members$/,
    operations: {
      GET: {
        summary: 'The members, with what this node hears of them',
        handle: listMembers,
        needs: 'read',
        query: 'consistencyQuery',
        answers: { 200: { description: 'The members.', schema: 'MemberList' } },
        errors: [...QUERY_ERRORS, ...READ_ERRORS],
      },
    },
  },
  {
    template: '/v1/members/{name}:remove',
    pattern: /^\/v1\/members\/[^/]*:remove$/,
    operations: {
      POST: {
        summary: 'Remove a member for good; its number is never used again',
        handle: removeMember,
        needs: 'admin',
        answers: { 200: { description: 'It is removed.', schema: 'MemberChanged' } },
        errors: [
          ...(['UNKNOWN_PARAMETER', 'LAST_MEMBER', 'QUORUM_AT_RISK', 'MEMBER_OWNS_DATA'] as const),
          ...MEMBER_ERRORS,
          ...CHANGE_ERRORS,
        ],
      },
    },
  },
  {
    template: '/v1/members/{name}',
    pattern: /^\/v1\/members\/[^/]+$/,
    operations: {
      PATCH: {
        summary: 'Change the weight or the zone of a member',
        handle: patchMember,
        needs: 'admin',
        body: 'memberBody',
        answers: { 200: { description: 'It holds.', schema: 'MemberChanged' } },
        errors: [...BODY_ERRORS, ...MEMBER_ERRORS, ...CHANGE_ERRORS],
      },
    },
  },
  {
    template: '/v1/topology',
    pattern: /^\/v1\/topology$/,
    operations: {
      GET: {
        summary: 'Members, partitions and namespaces of one epoch; with `after` it waits for a later one',
        handle: getTopology,
        needs: 'read',
        query: 'topologyQuery',
        headers: { 'If-None-Match': IF_NONE_MATCH },
        answers: {
          200: { description: 'The topology.', schema: 'Topology', headers: ['ETag'] },
          304: { description: 'There is no other one than what the reader has.', headers: ['ETag'] },
        },
        errors: [...QUERY_ERRORS, ...READ_ERRORS],
      },
    },
  },
];
