import type { MemberId } from '../../core/raft/types.ts';
import type { Clock } from '../../ports/clock.ts';
import type { VersionSource } from '../../storage/version-source.ts';
import type { HintKeeper, ReplicaAsker, Routing } from '../types.ts';
import type { Deadlines } from './deadlines.ts';
import type { LatencyTracker } from './latency.ts';
import type { Runs } from './run.ts';

export type CoordinatorOptions = {
  /** `clock.skewMsMax`. */
  readonly skewMsMax: number;
  /** `replication.hedgeMsMin`. */
  readonly hedgeMsMin: number;
};

export type CoordinatorDeps = {
  readonly routing: Routing;
  readonly askReplica: ReplicaAsker['askWith'];
  readonly versions: VersionSource;
  readonly clock: Clock;
  readonly hints: HintKeeper;
  readonly events: CoordinatorEvents;
  /** What to tell while no partition has an owner. */
  unplaced(): Error;
};

/** What metrics count. */
export type CoordinatorEvents = {
  onWrite(outcome: 'acknowledged' | 'unwritten' | 'unknown', seconds: number): void;
  onRead(outcome: 'answered' | 'failed', seconds: number): void;
  /** Another member was asked because `slow` had not answered in its usual time. */
  onHedge(slow: MemberId): void;
  /** Records sent to replicas that lacked them, after an answer. */
  onReadRepair(records: number): void;
  /** Records sent before an answer. */
  onWriteBack(records: number): void;
  /** A request began again: under a newer epoch, or since a watermark moved. */
  onRestart(): void;
};

/** What all requests of a coordinator share. */
export type CoordinatorContext = CoordinatorDeps & {
  readonly options: CoordinatorOptions;
  readonly deadlines: Deadlines;
  readonly latency: LatencyTracker;
  readonly runs: Runs;
};
