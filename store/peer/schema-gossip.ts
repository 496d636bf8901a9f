import { z } from 'zod';
import type { GossipBody } from '../core/gossip/messages.ts';
import { ACCUSERS_MAX } from '../core/gossip/rumour.ts';
import { RUMOURS_MAX } from './limits.ts';
import { address, count, epoch, fraction, memberId } from './schema-parts.ts';

const rumour = z.object({
  member: memberId,
  liveness: z.enum(['alive', 'suspect', 'dead', 'left']),
  incarnation: count,
  refutation: count,
  address,
  epoch,
  load: fraction,
  accusers: z.array(memberId).max(ACCUSERS_MAX).optional(),
});

const packet = <Type extends GossipBody['type'], Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({
    type: z.literal(type),
    sequence: count,
    from: memberId,
    rumours: z.array(rumour).max(RUMOURS_MAX),
    ...shape,
  });

export const gossipPacket = z.discriminatedUnion('type', [
  packet('ping', {}),
  packet('ack', {}),
  packet('ping-request', { target: memberId, targetAddress: address }),
  packet('nack', {}),
]);
