import { isUp } from '../core/gossip/messages.ts';
import type { MemberId } from '../core/raft/types.ts';
import { planConfiguration } from '../core/topology/voters.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { GossipDriver } from './gossip-driver.ts';
import type { RaftDriver } from './raft-driver.ts';
import { regularly } from './regularly.ts';
import type { CommandOutcome, TopologyReplica } from './topology-replica.ts';

/** They may change meanwhile. */
export type VotingOptions = { readonly votersMax: number; readonly replaceAfterMs: number };

export type VoterKeeperOptions = {
  readonly self: MemberId;
  readonly voting: VotingOptions;
  readonly intervalMs: number;
  /** A learner that lacks no more entries than this may be promoted. */
  readonly lagEntriesMax: number;
};

export type VoterKeeperDeps = {
  readonly clock: Clock;
  readonly driver: RaftDriver<CommandOutcome | undefined>;
  readonly topology: TopologyReplica;
  readonly gossip: GossipDriver;
};

/**
 * On the leader: brings the configuration of the Raft group to what the topology and the liveness of the members ask
 * for, one change at a time. It keeps nothing of its own, so that a new leader goes on where the old one stopped.
 */
export class VoterKeeper {
  readonly #options: VoterKeeperOptions;
  readonly #deps: VoterKeeperDeps;
  readonly #timer: Timer;

  constructor(options: VoterKeeperOptions, deps: VoterKeeperDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#timer = regularly(deps.clock, options.intervalMs, () => this.#change());
  }

  stop(): void {
    this.#timer.cancel();
  }

  #change(): void {
    const { driver, topology } = this.#deps;
    const { self, voting, lagEntriesMax } = this.#options;
    const { state } = topology;
    if (!driver.isLeader || state === undefined) return;
    const { configuration, progress, last } = driver.status();
    const changes = planConfiguration(voting, {
      configuration,
      members: state.members,
      self,
      downForMs: (member) => this.#downForMs(member),
      isCaughtUp(member) {
        const known = progress.get(member);
        return known?.isActive === true && last.index - known.match <= lagEntriesMax;
      },
    });
    // A refusal (a change is under way, the term is new) passes; the next round asks again.
    if (changes.length > 0) driver.proposeConfChange(changes);
  }

  #downForMs(member: MemberId): number {
    if (member === this.#options.self) return 0;
    const known = this.#deps.gossip.view.get(member);
    if (known === undefined || isUp(known.rumour.liveness)) return 0;
    return Math.max(1, this.#deps.clock.monotonicMs() - known.sinceMs);
  }
}
