import type { MemberId } from '../raft/types.ts';
import type { Epoch } from '../topology/types.ts';

/** SWIM (Das, Gupta, Motivala 2002); Lifeguard (Dadgar, Phillips, Currey 2018) for the patience of a slow node. */
export type Liveness = 'alive' | 'suspect' | 'dead' | 'left';

/** Whether a member is to be counted on: a suspicion may yet be refuted. */
export function isUp(liveness: Liveness): boolean {
  return liveness === 'alive' || liveness === 'suspect';
}

/** What spreads about a member. A higher (incarnation, refutation) wins; at equal ones left > dead > suspect > alive. */
export type Rumour = {
  readonly member: MemberId;
  readonly liveness: Liveness;
  /** The life of its data directory. */
  readonly incarnation: number;
  /**
   * Raised by the member itself, within an incarnation, to refute a suspicion or to spread news of itself. 0 is what
   * the topology tells of a member that was not heard yet; the member itself begins at 1.
   */
  readonly refutation: number;
  /** Where it can be reached, `host:port`. */
  readonly address: string;
  /** The epoch of the topology that it applied. */
  readonly epoch: Epoch;
  /** 0 to 1: how busy it is. */
  readonly load: number;
  /** With 'suspect' only: who found it silent by probes of its own; ascending, the ACCUSERS_MAX lowest. */
  readonly accusers?: readonly MemberId[] | undefined;
};

export type GossipBody =
  | { readonly type: 'ping'; readonly sequence: number }
  | { readonly type: 'ack'; readonly sequence: number }
  /** "Please ping `target` for me." */
  | {
      readonly type: 'ping-request';
      readonly sequence: number;
      readonly target: MemberId;
      readonly targetAddress: string;
    }
  /** The asked one had no answer in time: its own link works, the target's may not. */
  | { readonly type: 'nack'; readonly sequence: number };

export type GossipPacket = GossipBody & {
  readonly from: MemberId;
  readonly rumours: readonly Rumour[];
};
