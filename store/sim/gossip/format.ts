import type { GossipPacket, Rumour } from '../../core/gossip/messages.ts';
import type { MemberId } from '../../core/raft/types.ts';

/** `3 suspect 1.2 by 4,5`: the member, its liveness, incarnation and refutation, and who accuses it. */
export function formatRumour({ member, liveness, incarnation, refutation, accusers }: Rumour): string {
  const by = accusers === undefined ? '' : ` by ${accusers.join(',')}`;
  return `${member} ${liveness} ${incarnation}.${refutation}${by}`;
}

/** `1 -> 2  ping, says 3 suspect 1.2 by 1`. What each packet says of its sender is left out. */
export function formatPacket(packet: GossipPacket, to: MemberId): string {
  const verb = packet.type === 'ping-request' ? `ping-request for ${packet.target}` : packet.type;
  const told = packet.rumours.filter(({ member }) => member !== packet.from).map(formatRumour);
  const says = told.length === 0 ? '' : `, says ${told.join('; ')}`;
  return `${packet.from} -> ${to}  ${verb}${says}`;
}
