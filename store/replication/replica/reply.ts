import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch } from '../../core/topology/types.ts';
import type { Version } from '../../core/version/version.ts';
import type {
  ReplicaRefusalCode,
  ReplicaReply,
  ReplicaReplyBody,
  ReplicaRequest,
} from '../../peer/replica-messages.ts';
import { EngineClosedError } from '../../storage/engine.ts';

/** A request under way, and where its answer goes. */
export type Call = {
  readonly request: ReplicaRequest;
  readonly signal: AbortSignal;
  /** This member's own coordinator asks: it has judged the clocks of the others itself. */
  readonly isLocal: boolean;
  readonly done: (reply: ReplicaReply) => void;
};

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
