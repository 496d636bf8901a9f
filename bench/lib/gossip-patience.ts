import type { Rumour } from '../../store/core/gossip/messages.ts';
import { GOSSIP_DEFAULTS } from '../../store/core/gossip/options.ts';
import { createPrng } from '../../store/core/prng/prng.ts';
import { GossipNetwork } from '../../store/sim/gossip/network.ts';
import { delayOf } from './gossip-cluster.ts';

const WARM_UP_MS = 10_000;
const PAUSE_MS = 2000;
const WATCHED_MS = 60_000;

export type Patience = {
  /** Members that live and were held dead by anybody. */
  readonly falseDeaths: number;
  readonly forgotten: number;
  readonly suspicions: number;
};

/** Nobody crashes; 5 % of the packets are lost and one member stands still for 2 s. Whatever is held dead is wrong. */
export function measurePatience(size: number, seed: number): Patience {
  const prng = createPrng(seed);
  const deaths = new Set<number>();
  let suspicions = 0;
  const network: GossipNetwork = new GossipNetwork(
    { gossip: GOSSIP_DEFAULTS, prng, delayMs: delayOf(prng), isLost: () => prng.below(100) < 5 },
    {
      onPacket: ({ rumours }) => {
        for (const { member, liveness } of rumours) if (liveness === 'dead') deaths.add(member);
      },
    },
  );
  network.populate(size);
  network.runFor(WARM_UP_MS);
  network.pause(1 + prng.below(size), PAUSE_MS);
  network.runFor(PAUSE_MS + WATCHED_MS);
  const held: Rumour[] = [];
  for (const { gossip } of network.hosts.values()) {
    suspicions += gossip.counters.suspicionsRaised;
    for (const { rumour } of gossip.view().values()) held.push(rumour);
  }
  for (const { member, liveness } of held) if (liveness === 'dead') deaths.add(member);
  return {
    falseDeaths: deaths.size,
    forgotten: size * size - held.length,
    suspicions,
  };
}
