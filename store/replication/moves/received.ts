import { addBytes, EMPTY_WINDOW, type RateWindow, rateOf } from '../../core/moves/rate.ts';
import type { MoveAt, MoveSession } from '../../core/topology/types.ts';
import type { MemberReport } from '../../peer/data-messages.ts';
import type { Clock } from '../../ports/clock.ts';

type One = { readonly session: MoveSession; readonly bytes: number; readonly window: RateWindow };

/** Counts what comes to this member by moves: of each partition the last move, since the start. */
export class ReceivedBytes {
  readonly #clock: Clock;
  readonly #byPartition = new Map<number, One>();

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock;
  }

  add({ partition, session }: MoveAt, bytes: number): void {
    const known = this.#byPartition.get(partition);
    const before = known?.session === session ? known : { session, bytes: 0, window: EMPTY_WINDOW };
    const window = addBytes(before.window, this.#clock.monotonicMs(), bytes);
    this.#byPartition.set(partition, { session, bytes: before.bytes + bytes, window });
  }

  /** Of the move that `at` names. */
  of({ partition, session }: MoveAt): number {
    const known = this.#byPartition.get(partition);
    return known?.session === session ? known.bytes : 0;
  }

  report(): MemberReport['received'] {
    const nowMs = this.#clock.monotonicMs();
    return Array.from(this.#byPartition, ([partition, { session, bytes, window }]) => ({
      ...{ partition, session, bytes },
      bytesPerSecond: Math.round(rateOf(window, nowMs)),
    }));
  }
}
