import { ClusterError } from '../../cluster/cluster-admin.ts';
import { failed, type Reply } from '../../core/resp/reply.ts';
import { KvError } from '../../storage/errors.ts';
import { type ErrorCode, isErrorCode } from '../http/error-table.ts';
import type { Logger } from '../http/http-context.ts';
import { CommandError } from './command-error.ts';

/**
 * An error as a client of Redis knows it: a prefix that Redis has, then the stable code of docs/errors.md, then the words. Clients try
 * again by themselves what begins with TRYAGAIN, CLUSTERDOWN or LOADING, so these stand only where nothing was done.
 */
export function errorReply(error: unknown, log: Logger, command: string): Reply {
  if (error instanceof CommandError) return error.reply;
  if ((error instanceof KvError || error instanceof ClusterError) && isErrorCode(error.code)) {
    const isUnknown = error instanceof KvError && error.data.outcome === 'unknown';
    return failed(`${isUnknown ? 'ERR' : prefixOf(error.code)} ${error.code} ${error.message}`);
  }
  log.error({ err: error, command }, 'a command failed');
  return failed('ERR INTERNAL the node failed to answer this command; its log says why');
}

function prefixOf(code: ErrorCode): string {
  switch (code) {
    case 'STORAGE_FULL':
      return 'OOM';
    case 'OVERLOADED':
      return 'TRYAGAIN';
    case 'CLUSTER_FORMING':
    case 'CLUSTER_WAITING':
    case 'MEMBER_EXCLUDED':
    case 'NO_LEADER':
    case 'QUORUM_NOT_MET':
    case 'DEADLINE_EXCEEDED':
    case 'CLOCK_SKEW':
    case 'REPLICA_OUT':
    case 'SHUTTING_DOWN':
      return 'CLUSTERDOWN';
    default:
      return 'ERR';
  }
}
