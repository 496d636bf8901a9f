import type { MoveFacts } from '../core/moves/next-step.ts';
import type { MemberId } from '../core/raft/types.ts';
import { memberName } from '../core/topology/members.ts';
import { isReplaced } from '../core/topology/shares.ts';
import type { TopologyState } from '../core/topology/types.ts';
import type { Clock } from '../ports/clock.ts';

export type MemberFactsDeps = {
  readonly clock: Clock;
  isLeader(): boolean;
  /** As far as gossip tells. */
  isUp(member: MemberId): boolean;
};

/**
 * What this node knows of the members beside the topology, by its own gossip. A leader counts anew for how long members are down
 * from when it leads: what a node noted while it was cut off must not have data moved.
 */
export class MemberFacts {
  readonly #deps: MemberFactsDeps;
  readonly #downSince = new Map<MemberId, number>();
  #wasLeader = false;

  constructor(deps: MemberFactsDeps) {
    this.#deps = deps;
  }

  of(state: TopologyState): MoveFacts {
    const { isUp } = this.#deps;
    return {
      isUp: (member) => state.members.has(member) && isUp(member),
      isReplaced: (member) => isReplaced(state, member),
      nameOf: (member) => memberName(state, member),
    };
  }

  /** Call it now and then: since when a member is down is noted here. */
  note({ members }: TopologyState): void {
    const isLeader = this.#deps.isLeader();
    if (isLeader && !this.#wasLeader) this.#downSince.clear();
    this.#wasLeader = isLeader;
    for (const member of members.keys()) {
      if (this.#deps.isUp(member)) this.#downSince.delete(member);
      else if (!this.#downSince.has(member)) this.#downSince.set(member, this.#deps.clock.monotonicMs());
    }
  }

  /** As far as it was noted; 0 where it is up. */
  downForMs(member: MemberId): number {
    const since = this.#downSince.get(member);
    return since === undefined ? 0 : this.#deps.clock.monotonicMs() - since;
  }
}
