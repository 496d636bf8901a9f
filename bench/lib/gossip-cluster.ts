import type { Rumour } from '../../store/core/gossip/messages.ts';
import { GOSSIP_DEFAULTS } from '../../store/core/gossip/options.ts';
import { createPrng, type Prng } from '../../store/core/prng/prng.ts';
import type { MemberId } from '../../store/core/raft/types.ts';
import { toEpoch } from '../../store/core/topology/types.ts';
import { GossipNetwork } from '../../store/sim/gossip/network.ts';

const MEASURED_MS = 30_000;
const EVENT_MS_MAX = 120_000;

/** A packet's way within a region: 0.3 ms and an exponential rest of 0.7 ms; one of a hundred is 30 ms later. */
export function delayOf(prng: Prng): () => number {
  return () => 0.3 - 0.7 * Math.log(1 - prng.unit()) + (prng.below(100) === 0 ? 30 : 0);
}

export type Traffic = { readonly packetsPerSecond: number; readonly bytesPerSecond: number };

/** Times of one crash, in milliseconds since it. */
export type Crash = {
  readonly firstSuspectMs: number;
  readonly firstDeadMs: number;
  readonly allDeadMs: number;
  /** Of each member: from the first suspicion until it knew. */
  readonly spreadMs: readonly number[];
};

/** A cluster of `size` on virtual time, with 1 % loss, that has gone quiet after its start. */
export class MeasuredCluster {
  readonly #size: number;
  readonly #network: GossipNetwork;
  #packets = 0;
  #bytes = 0;
  #onStep: (member: MemberId) => void = () => {};
  #isMeasuring = false;

  constructor(size: number, seed: number, lossPercent = 1) {
    const prng = createPrng(seed);
    this.#size = size;
    this.#network = new GossipNetwork(
      {
        gossip: GOSSIP_DEFAULTS,
        prng,
        delayMs: delayOf(prng),
        isLost: () => prng.unit() * 100 < lossPercent,
      },
      { onPacket: (packet) => this.#count(packet), onStep: (member) => this.#onStep(member) },
    );
    this.#network.populate(size);
  }

  get network(): GossipNetwork {
    return this.#network;
  }

  /** What a member sends per second, and its bytes as JSON. */
  measureTraffic(): Traffic {
    this.#packets = 0;
    this.#bytes = 0;
    this.#isMeasuring = true;
    this.#network.runFor(MEASURED_MS);
    this.#isMeasuring = false;
    const memberSeconds = (this.#size * MEASURED_MS) / 1000;
    return { packetsPerSecond: this.#packets / memberSeconds, bytesPerSecond: this.#bytes / memberSeconds };
  }

  /** Crashes a member, waits until all hold it dead, and brings it back. */
  measureCrash(member: MemberId): Crash {
    const startMs = this.#network.nowMs;
    this.#network.crash(member);
    const suspected = new Map<MemberId, number>();
    const dead = new Map<MemberId, number>();
    this.#await(member, (viewer, { liveness }, nowMs) => {
      if (liveness !== 'alive' && !suspected.has(viewer)) suspected.set(viewer, nowMs - startMs);
      if (liveness === 'dead' && !dead.has(viewer)) dead.set(viewer, nowMs - startMs);
      return dead.size === this.#size - 1;
    });
    const firstSuspectMs = Math.min(...suspected.values());
    this.#network.restart(member);
    this.#network.registerAll();
    this.#network.runFor(20_000);
    return {
      firstSuspectMs,
      firstDeadMs: Math.min(...dead.values()),
      allDeadMs: Math.max(...dead.values()),
      spreadMs: [...suspected.values()].map((ms) => ms - firstSuspectMs),
    };
  }

  /** A member applied a new epoch: for each other, the time until it knew. */
  measureNews(member: MemberId): readonly number[] {
    const startMs = this.#network.nowMs;
    const epoch = toEpoch(1 + Math.round(startMs));
    const known = new Map<MemberId, number>();
    this.#network.act(member, (gossip) => gossip.updateSelf({ epoch }));
    this.#await(member, (viewer, rumour, nowMs) => {
      if (rumour.epoch === epoch && !known.has(viewer)) known.set(viewer, nowMs - startMs);
      return known.size === this.#size;
    });
    this.#network.runFor(20_000);
    return [...known].filter(([viewer]) => viewer !== member).map(([, ms]) => ms);
  }

  /** Runs until `look`, which sees each change of what is held of `subject`, is satisfied. */
  #await(subject: MemberId, look: (viewer: MemberId, held: Rumour, nowMs: number) => boolean): void {
    let isDone = false;
    this.#onStep = (viewer) => {
      const held = this.#network.host(viewer).gossip.view().get(subject)?.rumour;
      if (held !== undefined && look(viewer, held, this.#network.nowMs)) isDone = true;
    };
    for (const viewer of this.#network.hosts.keys()) if (viewer !== subject) this.#onStep(viewer);
    for (let ms = 0; !isDone; ms += 100) {
      if (ms > EVENT_MS_MAX) throw new Error(`${this.#size} members do not agree about ${subject}`);
      this.#network.runFor(100);
    }
    this.#onStep = () => {};
  }

  #count(packet: object): void {
    if (!this.#isMeasuring) return;
    this.#packets += 1;
    this.#bytes += JSON.stringify(packet).length;
  }
}
