import type { Message } from './messages.ts';
import type { ReadResult } from './state.ts';
import type { Entry, HardState, Snapshot } from './types.ts';

/**
 * What the shell has to do next, in this order:
 *
 *  1. persist `snapshot`, then `entries`, then `hardState`, in one atomic batch, fsync'd where `mustSync`
 *  2. send `messages`
 *  3. apply `snapshot`, then `committed`; serve each of `reads` once its index is applied
 *  4. call `advance()`
 *
 * Persist before send before apply before advance; a crash between any two steps loses nothing that somebody was
 * told. There is one Ready at a time, and messages may be stepped while it is worked on: what they cause is in
 * the next one. `earlyMessages` alone may go out before or beside step 1 (thesis 10.2.1): they are a leader's
 * appends, chunks and heartbeats, and promise nothing about its disk. Its term is there already, since a
 * candidate counts its own vote only after `advance()`; and so does a leader count its own log.
 */
export type Ready = {
  readonly earlyMessages: readonly Message[];
  /** Received from the leader: it replaces state machine and log, also entries behind its index. */
  readonly snapshot: Snapshot | undefined;
  /** They replace whatever the log on disk has from the first one's index on. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState | undefined;
  /** False where only the commit index moved. */
  readonly mustSync: boolean;
  readonly messages: readonly Message[];
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadResult[];
};

export function isEmpty(ready: Ready): boolean {
  return (
    ready.snapshot === undefined &&
    ready.hardState === undefined &&
    ready.entries.length + ready.committed.length + ready.reads.length === 0 &&
    ready.earlyMessages.length + ready.messages.length === 0
  );
}
