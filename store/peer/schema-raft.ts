import { z } from 'zod';
import type { MessageBody } from '../core/raft/messages.ts';
import { ENTRIES_MAX, MEMBERS_MAX } from './limits.ts';
import { byteArray, count, logIndex, memberId, position, term } from './schema-parts.ts';

const message = <Type extends MessageBody['type'], Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), from: memberId, to: memberId, term, ...shape });

const members = z.array(memberId).max(MEMBERS_MAX);
const configuration = z.object({ voters: members, votersOutgoing: members, learners: members });
const readId = z.object({ member: memberId, incarnation: count, sequence: count });
const entry = z.discriminatedUnion('type', [
  z.object({ type: z.literal('no-op'), index: logIndex, term }),
  z.object({ type: z.literal('command'), index: logIndex, term, data: byteArray }),
  z.object({ type: z.literal('config'), index: logIndex, term, configuration }),
]);

export const raftMessage = z.discriminatedUnion('type', [
  message('pre-vote', { last: position }),
  message('pre-vote-response', { isGranted: z.boolean() }),
  message('vote', { last: position, isTransfer: z.boolean() }),
  message('vote-response', { isGranted: z.boolean() }),
  message('append', { previous: position, entries: z.array(entry).max(ENTRIES_MAX), commit: logIndex }),
  message('append-response', { match: logIndex }),
  message('append-rejection', { rejected: logIndex, hint: position }),
  message('heartbeat', { commit: logIndex, round: count }),
  message('heartbeat-response', { round: count }),
  message('snapshot', {
    meta: z.object({ index: logIndex, term, configuration }),
    offset: count,
    bytesTotal: count,
    data: byteArray,
  }),
  message('snapshot-response', { snapshot: logIndex, offset: count }),
  message('timeout-now', {}),
  message('read-index', { id: readId }),
  message('read-index-response', { id: readId, index: logIndex }),
  message('stale-term', {}),
]);
