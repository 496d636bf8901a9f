import type { GossipPacket, Rumour } from '../../core/gossip/messages.ts';
import { GOSSIP_DEFAULTS } from '../../core/gossip/options.ts';
import { compareClaims } from '../../core/gossip/rumour.ts';
import { createPrng, type Prng } from '../../core/prng/prng.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { formatRumour } from './format.ts';
import { type GossipHost, GossipNetwork } from './network.ts';

/** A broken promise of gossip. */
export class GossipViolation extends Error {
  override readonly name = 'GossipViolation';
}

export type GossipWorldReport = { readonly members: number; readonly convergedAfterMs: number };

const MEMBERS_MAX = 9;
/** A node that was cut off is slow (local health 8) and must find out about suspicions of 24 s. */
export const CONVERGENCE_MS_MAX = 120_000;
const QUIET_MS = 60_000;

/**
 * Members that gossip under random faults, everything drawn from one seed: packets are lost and late, ways are cut,
 * members crash, restart with another address, stand still, leave. At every step nobody's knowledge goes back, and
 * nobody knows more of a member than it said itself. Then the faults stop: all must hold the truth in bounded time.
 */
export class GossipWorld {
  readonly #prng: Prng;
  readonly #network: GossipNetwork;
  readonly #held = new Map<string, Rumour>();
  readonly #trace: ((line: string) => void) | undefined;
  #lossPercent: number;
  #isQuiet = false;

  constructor(seed: number, trace?: (line: string) => void) {
    this.#prng = createPrng(seed);
    this.#trace = trace;
    this.#lossPercent = this.#prng.below(20);
    const delayMsMax = 1 + this.#prng.below(this.#prng.below(4) === 0 ? 400 : 30);
    this.#network = new GossipNetwork(
      {
        gossip: GOSSIP_DEFAULTS,
        prng: this.#prng,
        delayMs: () => 1 + this.#prng.below(delayMsMax),
        isLost: () => this.#prng.below(100) < this.#lossPercent,
      },
      {
        onStep: (member) => this.#observe(member),
        onPacket: (packet, to) => this.#checkPacket(packet, to),
      },
    );
  }

  /** Throws a GossipViolation where a promise is broken. */
  run(): GossipWorldReport {
    this.#network.populate(2 + this.#prng.below(MEMBERS_MAX - 1));
    for (let faults = this.#prng.below(30); faults > 0; faults--) {
      this.#network.runFor(this.#prng.below(10_000));
      this.#act();
    }
    this.#lossPercent = 0;
    this.#network.heal();
    this.#network.registerAll();
    const convergedAfterMs = this.#converge();
    this.#checkQuiet();
    return { members: this.#network.hosts.size, convergedAfterMs };
  }

  #act(): void {
    const host = this.#any();
    const faults = [
      () => this.#crash(host),
      () => this.#restart(host),
      () => this.#restart(host),
      () => this.#network.pause(host.member, this.#prng.below(10_000)),
      () => this.#network.cut(host.member, this.#any().member),
      () => this.#network.cutOneWay(host.member, this.#any().member),
      () => this.#split(),
      () => this.#network.heal(),
      () => this.#leave(host),
      () => this.#tell(host),
      () => this.#network.registerAll(),
    ];
    faults[this.#prng.below(faults.length)]?.();
  }

  #crash(host: GossipHost): void {
    this.#say(`${host.member} crashes`);
    this.#network.crash(host.member);
  }

  /** Sometimes the others learn from the topology, sometimes only from gossip. */
  #restart({ member, incarnation }: GossipHost): void {
    this.#say(`${member} restarts`);
    for (const key of this.#held.keys()) if (key.startsWith(`${member} `)) this.#held.delete(key);
    const isMoved = this.#prng.below(2) === 0;
    this.#network.restart(member, isMoved ? `node-${member}:${8000 + incarnation}` : undefined);
    if (this.#prng.below(2) === 0) this.#network.registerAll();
  }

  #split(): void {
    this.#say('partition');
    const side = [...this.#network.hosts.keys()].filter(() => this.#prng.below(2) === 0);
    for (const a of side)
      for (const b of this.#network.hosts.keys()) if (!side.includes(b)) this.#network.cut(a, b);
  }

  #leave(host: GossipHost): void {
    if (!host.isUp) return;
    this.#say(`${host.member} leaves`);
    this.#network.act(host.member, (gossip) => gossip.leave(this.#network.nowMs));
    this.#network.crash(host.member);
  }

  #tell(host: GossipHost): void {
    const epoch = toEpoch(this.#prng.below(1000));
    if (host.isUp) this.#network.act(host.member, (gossip) => gossip.updateSelf({ epoch }));
  }

  #any(): GossipHost {
    return this.#network.host(1 + this.#prng.below(this.#network.hosts.size));
  }

  #observe(viewer: MemberId): void {
    for (const [member, { rumour }] of this.#network.host(viewer).gossip.view()) {
      const key = `${viewer} ${member}`;
      const before = this.#held.get(key);
      if (before === rumour) continue;
      this.#held.set(key, rumour);
      this.#say(`    ${viewer} holds ${formatRumour(rumour)}`);
      if (before !== undefined && compareClaims(before, rumour) > 0)
        this.#fail(`${viewer} went back from ${formatRumour(before)} to ${formatRumour(rumour)}`);
      this.#checkOrigin(viewer, rumour);
    }
  }

  /** Only a member itself raises its refutation, within the lives that it had. */
  #checkOrigin(viewer: MemberId, rumour: Rumour): void {
    const own = this.#truthOf(rumour.member);
    const isAhead =
      rumour.incarnation > own.incarnation ||
      (rumour.incarnation === own.incarnation && rumour.refutation > own.refutation);
    if (isAhead) this.#fail(`${viewer} holds ${formatRumour(rumour)}, its own word is ${formatRumour(own)}`);
  }

  #truthOf(member: MemberId): Rumour {
    return this.#network.host(member).gossip.view().get(member)?.rumour as Rumour;
  }

  #checkPacket(packet: GossipPacket, to: MemberId): void {
    const { rumours, from } = packet;
    if (rumours[0]?.member !== from) this.#fail(`a packet of ${from} does not begin with its own rumour`);
    if (rumours.length > GOSSIP_DEFAULTS.rumoursMax) this.#fail(`a packet has ${rumours.length} rumours`);
    // Where only two are up, each keeps for the others what it heard of the other.
    const isUp = (member: MemberId): boolean => this.#network.host(member).isUp;
    const up = [...this.#network.hosts.keys()].filter(isUp);
    if (!this.#isQuiet || packet.type !== 'ping' || up.length < 3 || !isUp(to)) return;
    const strange = rumours.find(({ member }) => member !== from && member !== to && isUp(member));
    if (strange !== undefined) this.#fail(`still spreads ${formatRumour(strange)} though nothing is new`);
  }

  #converge(): number {
    this.#say('faults stop');
    for (let ms = 0; ms <= CONVERGENCE_MS_MAX; ms += 500) {
      if (this.#firstError() === undefined) return ms;
      this.#network.runFor(500);
    }
    return this.#fail(`${CONVERGENCE_MS_MAX} ms after the faults: ${this.#firstError()}`);
  }

  /** What a live member holds that is not true; a member that is down is dead or left, for all the same. */
  #firstError(): string | undefined {
    const down = new Map<MemberId, string>();
    for (const viewer of this.#network.hosts.values()) {
      if (!viewer.isUp) continue;
      for (const [member, { rumour }] of viewer.gossip.view()) {
        const text = formatRumour(rumour);
        if (this.#network.host(member).isUp) {
          if (rumour !== this.#truthOf(member) && !isSame(rumour, this.#truthOf(member)))
            return `${viewer.member} holds ${text}`;
          continue;
        }
        if (rumour.liveness !== 'dead' && rumour.liveness !== 'left') return `${viewer.member} holds ${text}`;
        if ((down.get(member) ?? text) !== text)
          return `${viewer.member} holds ${text}, others ${down.get(member)}`;
        down.set(member, text);
      }
    }
    return undefined;
  }

  /** Once all know everything there is nothing left to spread, and nothing changes any more. */
  #checkQuiet(): void {
    this.#network.runFor(QUIET_MS);
    this.#isQuiet = true;
    this.#network.runFor(QUIET_MS);
    const error = this.#firstError();
    if (error !== undefined) this.#fail(`after it had converged: ${error}`);
  }

  #say(line: string): void {
    this.#trace?.(`${(this.#network.nowMs / 1000).toFixed(3)}  ${line}`);
  }

  #fail(message: string): never {
    throw new GossipViolation(`at ${this.#network.nowMs} ms: ${message}`);
  }
}

function isSame(a: Rumour, b: Rumour): boolean {
  return compareClaims(a, b) === 0 && a.address === b.address && a.epoch === b.epoch;
}
