import type { Random } from '../raft/state.ts';
import type { MemberId } from '../raft/types.ts';
import { type Epoch, toEpoch } from '../topology/types.ts';
import { believe, declareDead, hearRumours, hold, setSelf } from './belief.ts';
import { createCounters, type GossipCounters } from './counters.ts';
import { Dissemination } from './dissemination.ts';
import { LocalHealth } from './local-health.ts';
import type { GossipPacket, Rumour } from './messages.ts';
import { checkOptions, type GossipOptions } from './options.ts';
import { dueMs, noticeTime } from './patience.ts';
import { acknowledge, noteNack, tickProbe } from './probe.ts';
import { ProbeOrder } from './probe-order.ts';
import { finishRelay, startRelay, tickRelays } from './relay.ts';
import { send, sendStrayPing } from './send.ts';
import { type GossipState, isOneOf, type MemberLiveness, type OutgoingPacket, selfRumour } from './state.ts';
import { Suspicions } from './suspicion.ts';

/** `self` is what this node says of itself at the start, alive and with the incarnation of this start. */
export type GossipDeps = { readonly random: Random; readonly self: Rumour };

/** A member as the topology registered it. */
export type RegisteredMember = {
  readonly member: MemberId;
  readonly address: string;
  readonly incarnation: number;
};

export type SelfNews = { readonly epoch?: Epoch; readonly load?: number; readonly address?: string };

const SEQUENCE_START_MAX = 2 ** 30;

/**
 * One member's part in SWIM (Das, Gupta, Motivala 2002) with Lifeguard (Dadgar, Phillips, Currey 2018): a
 * deterministic machine without clock or network. It says who seems to live and where; it decides nothing, and
 * 'dead' never removes: only `setMembers` forgets. Give it every packet, call `tick` often or at `nextDueMs`, and
 * send what `takePackets` returns after each call. Times are milliseconds of any clock that never goes back.
 */
export class Gossip {
  readonly #state: GossipState;

  /** Throws a RangeError where an option makes no sense. */
  constructor(options: GossipOptions, { random, self }: GossipDeps) {
    checkOptions(options);
    this.#state = {
      options,
      random,
      self: self.member,
      known: new Map([
        [self.member, { rumour: { ...self, refutation: Math.max(1, self.refutation) }, sinceMs: 0 }],
      ]),
      order: new ProbeOrder(random),
      suspicions: new Suspicions(),
      dissemination: new Dissemination(options),
      health: new LocalHealth(options.healthMax),
      counters: createCounters(),
      outbox: [],
      // Answers to pings of an earlier life must not match.
      sequence: random.below(SEQUENCE_START_MAX),
      probe: undefined,
      nextProbeMs: undefined,
      relays: new Map(),
    };
  }

  get counters(): Readonly<GossipCounters> {
    return this.#state.counters;
  }

  /** Does what is due. */
  tick(nowMs: number): void {
    noticeTime(this.#state, nowMs);
    tickRelays(this.#state, nowMs);
    tickProbe(this.#state, nowMs);
    declareDead(this.#state, nowMs);
  }

  /** Takes a packet. The sender's identity is the transport's to prove. */
  step(packet: GossipPacket, nowMs: number): void {
    const gossip = this.#state;
    if (packet.from === gossip.self) return;
    noticeTime(this.#state, nowMs);
    gossip.counters.received[packet.type] += 1;
    const toCorrect = hearRumours(gossip, packet.rumours, nowMs);
    switch (packet.type) {
      case 'ping':
        this.#answer(packet, toCorrect);
        break;
      case 'ack':
        acknowledge(gossip, packet);
        finishRelay(gossip, packet);
        break;
      case 'ping-request':
        startRelay(gossip, packet, nowMs);
        break;
      case 'nack':
        noteNack(gossip, packet);
        break;
    }
  }

  /**
   * Who may be known: the members of the topology. Who is not among them is forgotten. One that is new here, or
   * registered a later incarnation than was heard of, is alive at its registered address until found otherwise.
   */
  setMembers(members: readonly RegisteredMember[], nowMs: number): void {
    noticeTime(this.#state, nowMs);
    const registered = new Set(members.map(({ member }) => member));
    for (const member of this.#state.known.keys()) {
      if (!registered.has(member) && member !== this.#state.self) this.#forget(member);
    }
    for (const member of members) {
      if (member.member !== this.#state.self) this.#register(member, nowMs);
    }
  }

  /** Spreads news of this node. A change of load below `loadStep` is none. */
  updateSelf({ epoch, load, address }: SelfNews): void {
    const own = selfRumour(this.#state);
    const isLoadNews = load !== undefined && Math.abs(load - own.load) >= this.#state.options.loadStep;
    const next = {
      ...own,
      epoch: epoch ?? own.epoch,
      load: isLoadNews ? load : own.load,
      address: address ?? own.address,
    };
    if (next.epoch === own.epoch && next.address === own.address && !isLoadNews) return;
    setSelf(this.#state, next);
  }

  /** This node stops: tells some members at once, who tell the others. */
  leave(nowMs: number): void {
    const gossip = this.#state;
    if (selfRumour(gossip).liveness === 'left') return;
    setSelf(gossip, { ...selfRumour(gossip), liveness: 'left' }, nowMs);
    const some = gossip.order.some(gossip.options.leavePings, (one) => isOneOf(gossip, one, 'alive'));
    for (const member of some) sendStrayPing(gossip, member);
  }

  /**
   * A proof of life from outside gossip, e.g. a handshake: a new incarnation is believed and spreads. One that is
   * suspected, or reached at another address, is asked at once: only its own word refutes.
   */
  heard(member: MemberId, incarnation: number, address: string, nowMs: number): void {
    noticeTime(this.#state, nowMs);
    const held = this.#state.known.get(member)?.rumour;
    if (held === undefined || member === this.#state.self || incarnation < held.incarnation) return;
    if (incarnation > held.incarnation) {
      believe(this.#state, registeredRumour({ member, incarnation, address }), nowMs);
    } else if (address !== held.address || isOneOf(this.#state, member, 'suspect', 'dead')) {
      sendStrayPing(this.#state, member, address);
    }
  }

  /** What is to be sent now, oldest first; each is returned once. */
  takePackets(): readonly OutgoingPacket[] {
    const packets = this.#state.outbox;
    this.#state.outbox = [];
    return packets;
  }

  /** What this node knows of each member, itself included; follows later changes. */
  view(): ReadonlyMap<MemberId, MemberLiveness> {
    return this.#state.known;
  }

  /** Lifeguard's local health: 0 is well; the greater, the slower and more patient this node is. */
  health(): number {
    return this.#state.health.score;
  }

  /** When `tick` has something to do next, not before `nowMs`. */
  nextDueMs(nowMs: number): number {
    return Math.max(nowMs, dueMs(this.#state));
  }

  /** A sender whom the topology here does not know yet is answered at the address that it gives. */
  #answer({ from, sequence, rumours }: GossipPacket, toCorrect: readonly MemberId[]): void {
    const address =
      this.#state.known.get(from)?.rumour.address ?? rumours.find(({ member }) => member === from)?.address;
    send(this.#state, from, { type: 'ack', sequence }, toCorrect, address);
  }

  #forget(member: MemberId): void {
    const { known, order, suspicions, dissemination, probe } = this.#state;
    known.delete(member);
    order.remove(member);
    suspicions.end(member);
    dissemination.forget(member);
    if (probe?.target === member) this.#state.probe = undefined;
  }

  #register(member: RegisteredMember, nowMs: number): void {
    const held = this.#state.known.get(member.member)?.rumour;
    if (held === undefined) this.#state.order.add(member.member);
    const isNewer = held === undefined || held.incarnation < member.incarnation;
    // Nothing was heard of it yet: the topology knows best where it is.
    const isMoved = held?.refutation === 0 && held.incarnation === member.incarnation;
    if (isNewer) hold(this.#state, registeredRumour(member), nowMs);
    else if (isMoved && held.address !== member.address)
      hold(this.#state, { ...held, address: member.address }, nowMs);
  }
}

/** What is known of a member that has not spoken yet. */
function registeredRumour({ member, incarnation, address }: RegisteredMember): Rumour {
  return { member, liveness: 'alive', incarnation, refutation: 0, address, epoch: toEpoch(0), load: 0 };
}
