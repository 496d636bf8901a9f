import { pauseMs } from './options.ts';
import { probeDueMs } from './probe.ts';
import { relaysDueMs } from './relay.ts';
import type { GossipState } from './state.ts';

/** When there is something to do; in the past where it was not done. */
export function dueMs(gossip: GossipState): number {
  return Math.min(probeDueMs(gossip), relaysDueMs(gossip), gossip.suspicions.nextDueMs());
}

/**
 * Notices that this node stood still (SIGSTOP, a full processor, a sleeping machine): what was due long ago was not
 * done. The answers of that time may wait unread, so nobody is judged by it: the probe is given up without a verdict,
 * suspicions go on as if the time had not passed, and the node takes itself for slow. To be called with each new
 * time, before anything else is done; the first time draws the phase of the probes.
 */
export function noticeTime(gossip: GossipState, nowMs: number): void {
  gossip.nextProbeMs ??= nowMs + gossip.random.below(Math.ceil(gossip.options.periodMs));
  const lateMs = nowMs - dueMs(gossip);
  if (lateMs <= pauseMs(gossip.options)) return;
  gossip.counters.pauses += 1;
  gossip.health.worsen();
  gossip.suspicions.prolong(lateMs);
  gossip.probe = undefined;
  gossip.relays.clear();
  gossip.nextProbeMs = nowMs + gossip.options.periodMs;
}
