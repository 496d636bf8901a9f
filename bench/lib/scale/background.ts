import type { Costs } from './costs.ts';
import type { ScaleOptions } from './simulate.ts';
import type { BackgroundCount } from './whole-nodes.ts';

/**
 * What a node does in a second without clients: what an idle node of three takes, and for each message more than there a frame of its own, since
 * nothing else leaves with it. The leader of the topology sends a heartbeat to each member and hears its answer.
 */
export function backgroundOf(
  count: BackgroundCount,
  ofThree: BackgroundCount,
  { idleMicros, frameMicros, messageMicros }: Costs,
): ScaleOptions['background'] {
  const perMessage = frameMicros + messageMicros;
  const sent = ({ gossip, raft, requests }: BackgroundCount): number => gossip + raft + 2 * requests;
  return {
    leaderMicros: idleMicros + Math.max(0, count.busiest - ofThree.busiest) * perMessage,
    otherMicros: idleMicros + Math.max(0, sent(count) - sent(ofThree)) * perMessage,
  };
}
