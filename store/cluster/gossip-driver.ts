import type { Gossip } from '../core/gossip/gossip.ts';
import { type GossipPacket, isUp } from '../core/gossip/messages.ts';
import type { MemberLiveness } from '../core/gossip/state.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { Epoch, TopologyState } from '../core/topology/types.ts';
import type { Clock, Timer } from '../ports/clock.ts';

/** The longest time between two looks at what is due: what arrives meanwhile may bring it forward. */
const TICK_MS_MAX = 100;

export type GossipDriverDeps = {
  readonly clock: Clock;
  readonly gossip: Gossip;
  send(address: string, packet: GossipPacket): void;
  /** Who is alive, or where, may have changed. */
  onChange(): void;
};

/** Gives the gossip machine its time and its network. */
export class GossipDriver {
  readonly #deps: GossipDriverDeps;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: GossipDriverDeps) {
    this.#deps = deps;
    this.#schedule();
  }

  get view(): ReadonlyMap<MemberId, MemberLiveness> {
    return this.#deps.gossip.view();
  }

  /** Of the members that are up, 0 to 1: how busy the busiest of them is, as far as is known here. */
  get highestLoad(): number {
    return Math.max(0, ...this.view.values().map(({ rumour }) => (isUp(rumour.liveness) ? rumour.load : 0)));
  }

  get machine(): Gossip {
    return this.#deps.gossip;
  }

  step(packet: GossipPacket): void {
    this.#deps.gossip.step(packet, this.#now());
    this.#flush();
  }

  heard(member: MemberId, incarnation: number, address: string): void {
    this.#deps.gossip.heard(member, incarnation, address, this.#now());
  }

  /** The topology says who may be known, and that this member has applied `epoch`. */
  follow({ members, epoch }: TopologyState): void {
    const known = [...members.values()].map(({ number, peerAddress, incarnation }) => ({
      member: number,
      address: peerAddress,
      incarnation,
    }));
    this.#deps.gossip.setMembers(known, this.#now());
    this.updateSelf({ epoch });
  }

  updateSelf(news: { readonly epoch?: Epoch; readonly load?: number }): void {
    this.#deps.gossip.updateSelf(news);
  }

  /** Tells others that this member goes on purpose. */
  leave(): void {
    this.#deps.gossip.leave(this.#now());
    this.#flush();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { clock, gossip } = this.#deps;
    const dueInMs = gossip.nextDueMs(this.#now()) - this.#now();
    const delayMs = Math.min(TICK_MS_MAX, Math.max(1, dueInMs));
    this.#timer = clock.setTimer(delayMs, () => {
      gossip.tick(this.#now());
      this.#flush();
      if (!this.#isStopped) this.#schedule();
    });
  }

  #flush(): void {
    const { gossip, send, onChange } = this.#deps;
    for (const { address, packet } of gossip.takePackets()) send(address, packet);
    onChange();
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }
}
