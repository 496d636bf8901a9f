import {
  cancelOperation,
  drainMember,
  getOperation,
  listOperations,
  startOperation,
} from './operation-handlers.ts';
import type { Route } from './route.ts';
import { BODY_ERRORS, CHANGE_ERRORS, MEMBER_ERRORS, QUERY_ERRORS, READ_ERRORS } from './route-errors.ts';
import { getCanStop, stopNode } from './stop-handlers.ts';
import { watchOperation } from './watch-handler.ts';

const START_ERRORS = [
  ...(['TOO_FEW_MEMBERS', 'TOO_FEW_ZONES', 'NO_SPACE'] as const),
  ...MEMBER_ERRORS,
  ...CHANGE_ERRORS,
] as const;

/** What is done with the data as a whole, and with nodes. Any node answers, but to be stopped only the node itself. */
export const operationRoutes: readonly Route[] = [
  {
    template: '/v1/members/{name}:drain',
    pattern: /^\/v1\/members\/[^/]*:drain$/,
    operations: {
      POST: {
        summary: 'Move the data of a member to the others and remove it; the same as that operation',
        handle: drainMember,
        needs: 'admin',
        answers: { 200: { description: 'It drains: see its operation.', schema: 'OperationStarted' } },
        errors: ['UNKNOWN_PARAMETER', ...START_ERRORS],
      },
    },
  },
  {
    template: '/v1/operations',
    pattern: /^\/v1\/operations$/,
    operations: {
      GET: {
        summary: 'What is being done with the data, and was done of late',
        handle: listOperations,
        needs: 'read',
        query: 'operationsQuery',
        answers: { 200: { description: 'The operations, oldest first.', schema: 'OperationList' } },
        errors: [...QUERY_ERRORS, ...READ_ERRORS],
      },
      POST: {
        summary:
          'Drain or replace a member, rebalance, or change the replication factor; a success too where it is under way',
        handle: startOperation,
        needs: 'admin',
        body: 'operationBody',
        answers: {
          200: { description: 'It runs; null where nothing is to be done.', schema: 'OperationStarted' },
        },
        errors: [...BODY_ERRORS, 'MEMBER_ALIVE', ...START_ERRORS],
      },
    },
  },
  {
    template: '/v1/operations/{id}:cancel',
    pattern: /^\/v1\/operations\/[^/]*:cancel$/,
    operations: {
      POST: {
        summary: 'Cancel an operation; what has moved stays where it is',
        handle: cancelOperation,
        needs: 'admin',
        answers: { 200: { description: 'It is cancelled.', schema: 'OperationCancelled' } },
        errors: [
          ...(['UNKNOWN_PARAMETER', 'OPERATION_NOT_FOUND', 'OPERATION_NOT_CANCELLABLE'] as const),
          'TOO_FEW_MEMBERS',
          ...CHANGE_ERRORS,
        ],
      },
    },
  },
  {
    template: '/v1/operations/{id}:watch',
    pattern: /^\/v1\/operations\/[^/]*:watch$/,
    operations: {
      GET: {
        summary: 'How far an operation is, a line of JSON whenever that changes, until it has ended',
        handle: watchOperation,
        needs: 'read',
        query: 'consistencyQuery',
        answers: { 200: { description: 'Lines of JSON.', contents: ['application/x-ndjson'] } },
        errors: [...QUERY_ERRORS, ...READ_ERRORS, 'OPERATION_NOT_FOUND'],
      },
    },
  },
  {
    template: '/v1/operations/{id}',
    pattern: /^\/v1\/operations\/[^/]+$/,
    operations: {
      GET: {
        summary: 'One operation',
        handle: getOperation,
        needs: 'read',
        query: 'consistencyQuery',
        answers: { 200: { description: 'The operation.', schema: 'Operation' } },
        errors: [...QUERY_ERRORS, ...READ_ERRORS, 'OPERATION_NOT_FOUND'],
      },
    },
  },
  {
    template: '/v1/nodes/{name}/can-stop',
    pattern: /^\/v1\/nodes\/[^/]*\/can-stop$/,
    operations: {
      GET: {
        summary:
          'Whether a node can be stopped now without a quorum being lost; a yes is kept from others for a while',
        handle: getCanStop,
        needs: 'read',
        query: 'canStopQuery',
        answers: { 200: { description: 'The answer.', schema: 'StopVerdict' } },
        errors: [
          ...QUERY_ERRORS,
          'BAD_MEMBER_NAME',
          'MEMBER_NOT_FOUND',
          'STOP_LEASE_TAKEN',
          ...CHANGE_ERRORS,
        ],
      },
    },
  },
  {
    template: '/v1/nodes/{name}:stop',
    pattern: /^\/v1\/nodes\/[^/]*:stop$/,
    operations: {
      POST: {
        summary: 'Stop the node that is asked, which must be the one that is named, as SIGTERM does',
        handle: stopNode,
        needs: 'admin',
        answers: { 202: { description: 'It stops.', schema: 'NodeStopping' } },
        errors: ['UNKNOWN_PARAMETER', 'BAD_MEMBER_NAME', 'REMOTE_STOP_OFF', 'WRONG_NODE'],
      },
    },
  },
];
