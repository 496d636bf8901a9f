import { Gossip, type RegisteredMember } from '../../core/gossip/gossip.ts';
import type { GossipPacket } from '../../core/gossip/messages.ts';
import type { GossipOptions } from '../../core/gossip/options.ts';
import { Heap } from '../../core/heap/heap.ts';
import type { Prng } from '../../core/prng/prng.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';

export type NetworkOptions = {
  readonly gossip: GossipOptions;
  readonly prng: Prng;
  /** Of a packet: milliseconds on its way. */
  readonly delayMs: () => number;
  /** Of a packet that was not lost otherwise; drawn once each. */
  readonly isLost: (from: MemberId, to: MemberId) => boolean;
};

/** What a test may look at; every field is optional. */
export type NetworkEvents = {
  readonly onPacket?: (packet: GossipPacket, to: MemberId, isLost: boolean) => void;
  /** After a member did anything. */
  readonly onStep?: (member: MemberId) => void;
};

type Happening = { readonly atMs: number; readonly order: number; readonly act: () => void };

export class GossipHost {
  readonly member: MemberId;
  address: string;
  incarnation = 1;
  gossip: Gossip;
  isUp = true;
  pausedUntilMs = 0;
  /** What came during a pause. */
  inbox: GossipPacket[] = [];
  wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(member: MemberId, gossip: Gossip, address: string) {
    this.member = member;
    this.gossip = gossip;
    this.address = address;
  }
}

/** Members that gossip on virtual time; packets reach whoever listens at their address. */
export class GossipNetwork {
  readonly hosts = new Map<MemberId, GossipHost>();
  readonly #options: NetworkOptions;
  readonly #events: NetworkEvents;
  readonly #happenings = new Heap<Happening>(
    (a, b) => a.atMs - b.atMs < 0 || (a.atMs === b.atMs && a.order < b.order),
  );
  readonly #cuts = new Set<string>();
  #order = 0;
  #nowMs = 0;

  constructor(options: NetworkOptions, events: NetworkEvents = {}) {
    this.#options = options;
    this.#events = events;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Members 1 to `count`, who all know each other from the topology. */
  populate(count: number): void {
    for (let member = 1; member <= count; member++) {
      const address = `node-${member}:7401`;
      this.hosts.set(member, new GossipHost(member, this.#newGossip(member, 1, address), address));
    }
    this.registerAll();
  }

  /** Every member that is up learns the topology as it is: all members with their address and incarnation. */
  registerAll(): void {
    const members: RegisteredMember[] = [...this.hosts.values()].map(({ member, address, incarnation }) => ({
      member,
      address,
      incarnation,
    }));
    for (const host of this.hosts.values()) {
      if (host.isUp) this.act(host.member, (gossip) => gossip.setMembers(members, this.#nowMs));
    }
  }

  host(member: MemberId): GossipHost {
    const host = this.hosts.get(member);
    if (host === undefined) throw new Error(`no member ${member}`);
    return host;
  }

  crash(member: MemberId): void {
    this.host(member).isUp = false;
  }

  /** A new life at a new address or the old one; it knows the members as the topology had them before. */
  restart(member: MemberId, address = this.host(member).address): void {
    const host = this.host(member);
    host.incarnation += 1;
    host.address = address;
    host.gossip = this.#newGossip(member, host.incarnation, address);
    host.isUp = true;
    host.inbox = [];
    host.pausedUntilMs = 0;
    const members = [...this.hosts.values()].map((one) => ({
      member: one.member,
      address: one.address,
      incarnation: one.incarnation,
    }));
    this.act(member, (gossip) => gossip.setMembers(members, this.#nowMs));
  }

  /** It does nothing for a while; what reaches it waits, and is read after its own timers ran. */
  pause(member: MemberId, forMs: number): void {
    const host = this.host(member);
    host.pausedUntilMs = Math.max(host.pausedUntilMs, this.#nowMs + forMs);
    this.at(host.pausedUntilMs, () => this.#resume(host));
  }

  cut(a: MemberId, b: MemberId): void {
    this.#cuts.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  /** Loses what goes from one to the other, and not what comes back. */
  cutOneWay(from: MemberId, to: MemberId): void {
    this.#cuts.add(`${from} ${to}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  /** Calls the machine of a member, and sends what it has to say. */
  act(member: MemberId, call: (gossip: Gossip) => void): void {
    const host = this.host(member);
    call(host.gossip);
    for (const { address, packet } of host.gossip.takePackets()) this.#post(address, packet);
    this.#scheduleTick(host);
    this.#events.onStep?.(member);
  }

  at(atMs: number, act: () => void): void {
    this.#order += 1;
    this.#happenings.push({ atMs, order: this.#order, act });
  }

  runFor(forMs: number): void {
    const endMs = this.#nowMs + forMs;
    for (
      let next = this.#happenings.peek();
      next !== undefined && next.atMs <= endMs;
      next = this.#happenings.peek()
    ) {
      this.#happenings.pop();
      this.#nowMs = next.atMs;
      next.act();
    }
    this.#nowMs = endMs;
  }

  #newGossip(member: MemberId, incarnation: number, address: string): Gossip {
    const { gossip, prng } = this.#options;
    const self = {
      member,
      liveness: 'alive',
      incarnation,
      refutation: 0,
      address,
      epoch: toEpoch(0),
      load: 0,
    } as const;
    return new Gossip(gossip, { random: prng, self });
  }

  #scheduleTick(host: GossipHost): void {
    const dueMs = host.gossip.nextDueMs(this.#nowMs);
    if (dueMs >= host.wakeAtMs && host.wakeAtMs >= this.#nowMs) return;
    host.wakeAtMs = dueMs;
    this.at(dueMs, () => {
      if (host.wakeAtMs !== dueMs) return;
      host.wakeAtMs = Number.POSITIVE_INFINITY;
      this.#tick(host);
    });
  }

  #tick(host: GossipHost): void {
    if (!host.isUp || host.pausedUntilMs > this.#nowMs) return;
    this.act(host.member, (gossip) => gossip.tick(this.#nowMs));
  }

  #resume(host: GossipHost): void {
    if (!host.isUp || host.pausedUntilMs > this.#nowMs) return;
    this.#tick(host);
    for (const packet of host.inbox.splice(0)) this.#step(host, packet);
  }

  #post(address: string, packet: GossipPacket): void {
    const to = this.#listenerAt(address);
    const isCut = to === undefined || this.#cuts.has(`${packet.from} ${to.member}`);
    const isLost = isCut || this.#options.isLost(packet.from, to.member);
    this.#events.onPacket?.(packet, to?.member ?? 0, isLost);
    if (!isLost) this.at(this.#nowMs + this.#options.delayMs(), () => this.#deliver(to, address, packet));
  }

  #listenerAt(address: string): GossipHost | undefined {
    const hint = this.hosts.get(Number(/^node-(\d+):/.exec(address)?.[1]));
    if (hint?.address === address) return hint;
    return [...this.hosts.values()].find((host) => host.address === address);
  }

  #deliver(host: GossipHost, address: string, packet: GossipPacket): void {
    if (!host.isUp || host.address !== address) return;
    if (host.pausedUntilMs > this.#nowMs) host.inbox.push(packet);
    else this.#step(host, packet);
  }

  #step(host: GossipHost, packet: GossipPacket): void {
    this.act(host.member, (gossip) => gossip.step(packet, this.#nowMs));
  }
}
