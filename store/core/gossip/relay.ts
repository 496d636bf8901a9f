import type { GossipPacket } from './messages.ts';
import { nextSequence, send } from './send.ts';
import type { GossipState } from './state.ts';

type Request = GossipPacket & { readonly type: 'ping-request' };

/** Pings the target for the requester. Where too many are under way it says at once that it has no answer. */
export function startRelay(gossip: GossipState, request: Request, nowMs: number): void {
  const { relays, options } = gossip;
  const { from, sequence, target, targetAddress } = request;
  if (relays.size >= options.relaysMax || target === gossip.self) {
    send(gossip, from, { type: 'nack', sequence });
    return;
  }
  const own = nextSequence(gossip);
  relays.set(own, {
    requester: from,
    requesterSequence: sequence,
    target,
    nackAtMs: nowMs + options.probeTimeoutMs,
    endMs: nowMs + options.periodMs,
  });
  send(gossip, target, { type: 'ping', sequence: own }, [], targetAddress);
}

/** Passes the answer on, also after a nack: late is better than never. */
export function finishRelay(gossip: GossipState, ack: GossipPacket): void {
  const relay = gossip.relays.get(ack.sequence);
  if (relay === undefined || relay.target !== ack.from) return;
  gossip.relays.delete(ack.sequence);
  send(gossip, relay.requester, { type: 'ack', sequence: relay.requesterSequence }, [relay.target]);
}

export function tickRelays(gossip: GossipState, nowMs: number): void {
  for (const [own, relay] of gossip.relays) {
    if (relay.nackAtMs !== undefined && relay.nackAtMs <= nowMs) {
      relay.nackAtMs = undefined;
      send(gossip, relay.requester, { type: 'nack', sequence: relay.requesterSequence });
    }
    if (relay.endMs <= nowMs) gossip.relays.delete(own);
  }
}

export function relaysDueMs({ relays }: GossipState): number {
  let dueMs = Number.POSITIVE_INFINITY;
  for (const relay of relays.values()) dueMs = Math.min(dueMs, relay.nackAtMs ?? relay.endMs);
  return dueMs;
}
