import type { ReplicaRequest } from '../../peer/replica-messages.ts';
import type { ReplicaAskOptions, ReplicaClient, ReplicaOutcome } from '../types.ts';

/**
 * The way to a replica without a promise for each request: `onEnd` is called once, with the answer or with why there is
 * none, perhaps before the call returns.
 */
export type AskReplica = (
  request: ReplicaRequest,
  options: ReplicaAskOptions,
  onEnd: (outcome: ReplicaOutcome) => void,
) => void;

/** A client as `AskReplica`. */
export function askReplicaOf(client: ReplicaClient): AskReplica {
  return (request, options, onEnd) => void client.ask(request, options).then(onEnd);
}
