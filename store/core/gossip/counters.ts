import type { GossipBody } from './messages.ts';

export type PacketCounts = Record<GossipBody['type'], number>;

/** What happened since the start; read for metrics, never reset. */
export type GossipCounters = {
  probes: number;
  /** Probes that neither the target nor anybody who was asked answered in time. */
  probesFailed: number;
  /** Probes that the target did not answer by itself in time. */
  probesIndirect: number;
  /** Suspicions by this node's own probes. */
  suspicionsRaised: number;
  /** Suspicions that ran out here. */
  deathsDeclared: number;
  /** Suspicions of this node that it refuted. */
  refutations: number;
  /** Times that this node noticed that it had stood still. */
  pauses: number;
  readonly sent: PacketCounts;
  readonly received: PacketCounts;
};

const noPackets = (): PacketCounts => ({ ping: 0, ack: 0, 'ping-request': 0, nack: 0 });

export function createCounters(): GossipCounters {
  return {
    probes: 0,
    probesFailed: 0,
    probesIndirect: 0,
    suspicionsRaised: 0,
    deathsDeclared: 0,
    refutations: 0,
    pauses: 0,
    sent: noPackets(),
    received: noPackets(),
  };
}
