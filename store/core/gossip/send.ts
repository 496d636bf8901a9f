import type { MemberId } from '../raft/types.ts';
import type { GossipBody, Rumour } from './messages.ts';
import { type GossipState, isOneOf, rumourOf, selfRumour } from './state.ts';

/**
 * Queues a packet. It tells first of the sender itself, so that every packet is a proof of life with its address;
 * then the receiver what is held against it, so that it can refute ("buddy", Lifeguard section 3.2); then of `about`;
 * then what spreads. Without an address nothing is sent.
 */
export function send(
  gossip: GossipState,
  to: MemberId,
  body: GossipBody,
  about: readonly MemberId[] = [],
  address: string | undefined = rumourOf(gossip, to)?.address,
): void {
  if (address === undefined) return;
  gossip.counters.sent[body.type] += 1;
  const rumours = composeRumours(gossip, to, about);
  gossip.outbox.push({ to, address, packet: { ...body, from: gossip.self, rumours } });
}

export function nextSequence(gossip: GossipState): number {
  gossip.sequence += 1;
  return gossip.sequence;
}

/** A ping whose answer decides nothing: it tells a member of itself, or finds one that was dead. */
export function sendStrayPing(gossip: GossipState, to: MemberId, address?: string): void {
  send(gossip, to, { type: 'ping', sequence: nextSequence(gossip) }, [], address);
}

function composeRumours(gossip: GossipState, to: MemberId, about: readonly MemberId[]): readonly Rumour[] {
  const { dissemination, known, self, options } = gossip;
  const rumours = [selfRumour(gossip)];
  const told = isOneOf(gossip, to, 'suspect', 'dead') ? [to, ...about] : about;
  for (const member of new Set(told)) {
    const rumour = rumourOf(gossip, member);
    if (rumour !== undefined && member !== self && rumours.length < options.rumoursMax) rumours.push(rumour);
  }
  // Nobody needs to be told of itself what speaks for it.
  dissemination.fill(rumours, known.size, (member) => (member === to ? undefined : rumourOf(gossip, member)));
  return rumours;
}
