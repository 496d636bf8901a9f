import type { Deadline } from './deadline.ts';
import { KvorumConnectionError } from './errors.ts';
import type { NodeHandle } from './node-handle.ts';
import { type PartitionMap, partitionMapOf } from './partition-map.ts';
import { read } from './requests.ts';
import type { FetchedRing } from './ring-keeper.ts';
import type { CallOptions, Request, Transport } from './transport.ts';
import { jsonOf, optionalString } from './wire.ts';

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
    ...read('/v1/ring'),
    isSpread: true,
    isProof: true,
    headers: conditionOf(known),
    statuses: [NOT_MODIFIED, ...STATUSES_WITHOUT],
  };
  return transport.perform(request, options, async (node, deadline): Promise<FetchedRing> => {
    if (!node.isProven && (await clusterIdAt(transport, node, deadline)) !== known?.clusterId)
      throw strangerError(node);
    const answer = await transport.send(node, request, deadline);
    if (answer.status === NOT_MODIFIED) return { type: 'same' };
    if (STATUSES_WITHOUT.includes(answer.status)) return { type: 'none' };
    const clusterId = await clusterIdAt(transport, node, deadline);
    if (clusterId === undefined) return { type: 'none' };
    return { type: 'ring', ring: partitionMapOf(jsonOf(answer), clusterId), asked: node.address };
  });
}

/** Of which cluster the node says that it is. */
export async function clusterIdAt(
  transport: Transport,
  node: NodeHandle,
  deadline: Deadline,
): Promise<string | undefined> {
  return optionalString(jsonOf(await transport.send(node, read('/v1/cluster'), deadline)), 'clusterId');
}

/** For the retries it is a node that is out of reach. */
function strangerError({ address: { origin } }: NodeHandle): KvorumConnectionError {
  const cause = new Error('a node of another cluster answers there');
  return new KvorumConnectionError({ origin, executed: 'no', isRead: true, cause });
}

/** Who is up is no part of the epoch: a map that has somebody down is read again as a whole. */
function conditionOf(known: PartitionMap | undefined): Record<string, string> {
  const isComplete = known?.members.every(({ isUp }) => isUp) === true;
  return isComplete ? { 'if-none-match': `"${known.epoch}"` } : {};
}
