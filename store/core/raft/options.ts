import type { MemberId } from './types.ts';

/** Every limit of the core. Times are ticks; the shell decides how long a tick is. */
export type RaftOptions = {
  readonly id: MemberId;
  /** The life of the data directory: makes read requests of an earlier life unmistakable. */
  readonly incarnation: number;
  /** Election timeouts are drawn from [this, 2 x this). */
  readonly electionTimeoutTicks: number;
  readonly heartbeatTicks: number;
  /** Entries per append message, by size; one entry always fits. */
  readonly appendBytesMax: number;
  /** Append messages to one member that may be unanswered, by number and by size. */
  readonly appendsInFlightMax: number;
  readonly bytesInFlightMax: number;
  /** A command above this is refused. */
  readonly commandBytesMax: number;
  /** A leader refuses commands while this much is appended and not committed. */
  readonly uncommittedBytesMax: number;
  /** Committed entries handed over in one Ready. */
  readonly applyBytesMax: number;
  readonly snapshotChunkBytes: number;
  readonly snapshotBytesMax: number;
  readonly pendingReadsMax: number;
  /** A learner may be promoted once it lacks at most this many entries. */
  readonly promotionLagEntriesMax: number;
};

export const RAFT_DEFAULTS: Omit<RaftOptions, 'id' | 'incarnation'> = {
  electionTimeoutTicks: 10,
  heartbeatTicks: 1,
  appendBytesMax: 1024 * 1024,
  appendsInFlightMax: 256,
  bytesInFlightMax: 8 * 1024 * 1024,
  commandBytesMax: 1024 * 1024,
  uncommittedBytesMax: 16 * 1024 * 1024,
  applyBytesMax: 4 * 1024 * 1024,
  snapshotChunkBytes: 256 * 1024,
  snapshotBytesMax: 256 * 1024 * 1024,
  pendingReadsMax: 4096,
  promotionLagEntriesMax: 100,
};

/** Throws where a limit makes no sense, e.g. a heartbeat that is no shorter than the election timeout. */
export function checkOptions(options: RaftOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`raft option ${name}: ${value}`);
    if (value === 0 && name !== 'promotionLagEntriesMax') throw new RangeError(`raft option ${name} is 0`);
  }
  if (options.heartbeatTicks >= options.electionTimeoutTicks) {
    throw new RangeError('raft option heartbeatTicks must be below electionTimeoutTicks');
  }
}
