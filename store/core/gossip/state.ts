import type { Random } from '../raft/state.ts';
import type { MemberId } from '../raft/types.ts';
import type { GossipCounters } from './counters.ts';
import type { Dissemination } from './dissemination.ts';
import type { LocalHealth } from './local-health.ts';
import type { GossipPacket, Rumour } from './messages.ts';
import type { GossipOptions } from './options.ts';
import type { ProbeOrder } from './probe-order.ts';
import type { Suspicions } from './suspicion.ts';

/** What a node knows of a member, itself included. Values are never changed in place. */
export type MemberLiveness = {
  readonly rumour: Rumour;
  /** When its liveness last changed here. */
  readonly sinceMs: number;
};

export type OutgoingPacket = {
  readonly to: MemberId;
  readonly address: string;
  readonly packet: GossipPacket;
};

/** The probe under way. */
export type Probe = {
  readonly target: MemberId;
  readonly sequence: number;
  /** When others are asked; undefined once they were. */
  askAtMs: number | undefined;
  /** When it has failed. */
  endMs: number;
  /** Who was asked, and has not said anything yet. */
  readonly silentHelpers: Set<MemberId>;
  readonly helpers: Set<MemberId>;
};

/** A probe for another member. */
export type Relay = {
  readonly requester: MemberId;
  readonly requesterSequence: number;
  readonly target: MemberId;
  /** When the requester is told that there is no answer yet; undefined once it was. */
  nackAtMs: number | undefined;
  readonly endMs: number;
};

/** Everything a node knows, owned by one `Gossip`; the functions of this folder work on it. */
export type GossipState = {
  readonly options: GossipOptions;
  readonly random: Random;
  readonly self: MemberId;
  readonly known: Map<MemberId, MemberLiveness>;
  readonly order: ProbeOrder;
  readonly suspicions: Suspicions;
  readonly dissemination: Dissemination;
  readonly health: LocalHealth;
  readonly counters: GossipCounters;
  outbox: OutgoingPacket[];
  sequence: number;
  probe: Probe | undefined;
  /** Undefined until the first call that knows the time. */
  nextProbeMs: number | undefined;
  /** By the sequence of this node's own ping. */
  readonly relays: Map<number, Relay>;
};

export function rumourOf(gossip: GossipState, member: MemberId): Rumour | undefined {
  return gossip.known.get(member)?.rumour;
}

export function selfRumour(gossip: GossipState): Rumour {
  return (gossip.known.get(gossip.self) as MemberLiveness).rumour;
}

export function isOneOf(gossip: GossipState, member: MemberId, ...livenesses: Rumour['liveness'][]): boolean {
  const rumour = rumourOf(gossip, member);
  return rumour !== undefined && livenesses.includes(rumour.liveness);
}
