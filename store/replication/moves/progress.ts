import { type Progress, progressOf } from '../../core/moves/progress.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { type Epoch, type TopologyState, toEpoch } from '../../core/topology/types.ts';
import type { MemberReport } from '../../peer/data-messages.ts';
import type { DataPeers, Routing } from '../types.ts';

/** Whoever has not answered by then is left out: people wait for the answer. */
export const REPORT_MS_MAX = 1000;

export type MoveProgressDeps = {
  readonly routing: Pick<Routing, 'isUp'>;
  readonly peers: DataPeers;
  readonly topology: { readonly state: TopologyState | undefined };
};

/** What an operation covers, beside the partitions that are left. */
export type OperationScope = {
  /** Partitions of the operation that it is done with. */
  readonly done?: readonly number[];
  /** The epoch at which it began: moves of before are not its. */
  readonly since?: Epoch;
};

/** Any member can say how far the moves are: it asks all that are up, and adds up what they say. */
export class MoveProgress {
  readonly #deps: MoveProgressDeps;

  constructor(deps: MoveProgressDeps) {
    this.#deps = deps;
  }

  /** Of all members that are up and answer within `REPORT_MS_MAX`, this one included. */
  async reports(): Promise<ReadonlyMap<MemberId, MemberReport>> {
    const { routing, peers, topology } = this.#deps;
    const members = [...(topology.state?.members.keys() ?? [])].filter((member) => routing.isUp(member));
    const reports = new Map<MemberId, MemberReport>();
    const ask = async (to: MemberId): Promise<void> => {
      const outcome = await peers.request({ type: 'report', to }, { timeoutMs: REPORT_MS_MAX });
      if (outcome.type === 'reply' && outcome.reply.type === 'report') reports.set(to, outcome.reply.report);
    };
    await Promise.all(members.map(ask));
    return reports;
  }

  /** Of the partitions that are left of an operation. */
  async progressOf(left: readonly number[], { done = [], since }: OperationScope = {}): Promise<Progress> {
    const reports = await this.reports();
    const isDone = new Set(done);
    return progressOf(
      {
        numbers: [...new Set([...left, ...done])],
        isDone: (partition) => isDone.has(partition),
        since: since ?? toEpoch(0),
      },
      this.#deps.topology.state?.partitions ?? [],
      reports,
    );
  }
}
