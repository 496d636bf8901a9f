import type { PeerReply } from '../peer/messages.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import type { Resolver } from '../ports/resolver.ts';
import { PeerError, type Transport } from '../ports/transport.ts';

export type WhoReply = Extract<PeerReply, { readonly type: 'who' }>;

export type SeedSearchOptions = {
  readonly seeds: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
};

export type SeedSearchDeps = {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly resolver: Resolver;
  /** Further addresses to ask, e.g. where members were last seen. */
  addresses(): readonly string[];
  /** Nobody answered in a whole round. */
  onSilence(): void;
  onUnresolved(seed: string, error: unknown): void;
  /** What an answer led to failed; the next round tries again. */
  onError(error: unknown): void;
};

/**
 * Addresses asked in one round; a name of a large cluster resolves to many more than are needed. The next round goes on
 * with those that follow, for all of these may be nodes that wait themselves.
 */
const ASKED_MAX = 32;

/** Asks the seeds, and what they name, who they are: how a node finds its cluster, and its leader, again. */
export class SeedSearch {
  readonly #options: SeedSearchOptions;
  readonly #deps: SeedSearchDeps;
  #told = new Set<string>();
  #askedFrom = 0;

  constructor(options: SeedSearchOptions, deps: SeedSearchDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Rounds with pauses in between while `isNeeded`, until `signal`; each answer goes to `onWho`. */
  async run(
    isNeeded: () => boolean,
    onWho: (address: string, reply: WhoReply) => Promise<void> | void,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      // What fails once, e.g. a read of the disk, must not end the search.
      if (isNeeded()) await this.#round(isNeeded, onWho, signal).catch(this.#deps.onError);
      await sleep(clock, this.#options.intervalMs, signal);
    }
  }

  /** One round. */
  async look(onWho: (address: string, reply: WhoReply) => void, signal: AbortSignal): Promise<void> {
    await this.#round(() => true, onWho, signal);
  }

  async #round(
    isNeeded: () => boolean,
    onWho: (address: string, reply: WhoReply) => Promise<void> | void,
    signal: AbortSignal,
  ): Promise<void> {
    const asked = await this.#candidates();
    this.#told = new Set();
    let isSilent = asked.length > 0 || this.#options.seeds.length > 0;
    const answers = asked.map(async (address) => {
      const reply = await this.#ask(address, signal);
      if (reply === undefined) return;
      isSilent = false;
      if (signal.aborted || !isNeeded()) return;
      for (const each of reply.addresses) this.#told.add(each);
      await onWho(address, reply);
    });
    for (const answer of await Promise.allSettled(answers))
      if (answer.status === 'rejected') this.#deps.onError(answer.reason);
    if (isSilent && !signal.aborted) this.#deps.onSilence();
  }

  async #candidates(): Promise<readonly string[]> {
    const { transport, resolver, addresses, onUnresolved } = this.#deps;
    const found = new Set<string>();
    for (const seed of this.#options.seeds) {
      try {
        for (const address of await resolver.resolve(seed)) found.add(address);
      } catch (error) {
        onUnresolved(seed, error);
      }
    }
    for (const address of [...addresses(), ...this.#told]) found.add(address);
    found.delete(transport.address);
    return this.#nextOf([...found]);
  }

  #nextOf(found: readonly string[]): readonly string[] {
    if (found.length <= ASKED_MAX) return found;
    const from = this.#askedFrom % found.length;
    this.#askedFrom = from + ASKED_MAX;
    return [...found.slice(from), ...found.slice(0, from)].slice(0, ASKED_MAX);
  }

  async #ask(address: string, signal: AbortSignal): Promise<WhoReply | undefined> {
    const { transport } = this.#deps;
    try {
      const options = { timeoutMs: this.#options.timeoutMs, signal };
      const reply = await transport.request(address, { type: 'who' }, options);
      return reply.type === 'who' ? reply : undefined;
    } catch (error) {
      if (error instanceof PeerError) return undefined;
      throw error;
    }
  }
}
