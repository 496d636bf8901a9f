import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch } from '../../core/topology/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { ReplicaRefusalCode, ReplicaReply, ReplicaReplyBody } from '../../peer/replica-messages.ts';
import { EngineClosedError } from '../../storage/engine.ts';

export function replyOf(from: MemberId, epoch: Epoch, body: ReplicaReplyBody): ReplicaReply {
  return { from, epoch, body };
}

export function held(version: Version): ReplicaReplyBody {
  return { type: 'held', version };
}

export function refused(code: ReplicaRefusalCode, message = ''): ReplicaReplyBody {
  return { type: 'refused', code, message };
}

/** What is told where the engine failed: a closed one belongs to a node that stops. */
export function refusedBy(error: Error): ReplicaReplyBody {
  return refused(error instanceof EngineClosedError ? 'STOPPING' : 'STORAGE_FAILED', error.message);
}
