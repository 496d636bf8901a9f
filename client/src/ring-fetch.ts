import { type PartitionMap, partitionMapOf } from './partition-map.ts';
import type { FetchedRing } from './ring-keeper.ts';
import type { CallOptions, Request, Transport } from './transport.ts';
import { jsonOf } from './wire.ts';

/** A node that knows no such route, or has nothing to tell yet, is an answer: the client goes on without a map. */
const STATUSES_WITHOUT: readonly number[] = [404, 503];
const NOT_MODIFIED = 304;

/** The map as some node tells it. */
export function fetchRing(
  transport: Transport,
  known: PartitionMap | undefined,
  options: CallOptions,
): Promise<FetchedRing> {
  const request: Request = {
    method: 'GET',
    path: '/v1/ring',
    isRead: true,
    isSpread: true,
    headers: conditionOf(known),
    statuses: [NOT_MODIFIED, ...STATUSES_WITHOUT],
  };
  return transport.perform(request, options, async (node, deadline): Promise<FetchedRing> => {
    const answer = await transport.send(node, request, deadline);
    if (answer.status === NOT_MODIFIED) return { type: 'same' };
    if (STATUSES_WITHOUT.includes(answer.status)) return { type: 'none' };
    return { type: 'ring', ring: partitionMapOf(jsonOf(answer)), asked: node.address };
  });
}

/** Who is up is no part of the epoch: a map that has somebody down is read again as a whole. */
function conditionOf(known: PartitionMap | undefined): Record<string, string> {
  const isComplete = known?.members.every(({ isUp }) => isUp) === true;
  return isComplete ? { 'if-none-match': `"${known.epoch}"` } : {};
}
