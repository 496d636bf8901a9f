import type { Clock } from '../../store/ports/clock.ts';
import type { KVClusterStatus } from '../api/kvcluster.ts';

/** Between two writes of a status that differ in what nobody waits for. */
export const STATUS_INTERVAL_MS = 1000;

/**
 * How often a status is written. What people and programs wait for is written at once: a condition that turned or has another reason, another generation, and
 * that the store was seen to live. All else, such as how far a move is, or the words of what is done, at most once a second.
 */
export class StatusPace {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #writtenMs = new Map<string, number>();

  constructor(deps: { readonly clock: Pick<Clock, 'monotonicMs'> }) {
    this.#clock = deps.clock;
  }

  /** How long `next` has to wait; 0 where it is to be written now. */
  waitMs(key: string, previous: KVClusterStatus | undefined, next: KVClusterStatus): number {
    const writtenMs = this.#writtenMs.get(key);
    if (writtenMs === undefined || verdicts(previous) !== verdicts(next)) return 0;
    return Math.max(0, writtenMs + STATUS_INTERVAL_MS - this.#clock.monotonicMs());
  }

  wrote(key: string): void {
    this.#writtenMs.set(key, this.#clock.monotonicMs());
  }

  /** The KVCluster is gone. */
  forget(key: string): void {
    this.#writtenMs.delete(key);
  }
}

function verdicts(status: KVClusterStatus | undefined): string {
  const { conditions = [], observedGeneration, clusterId, epoch } = status ?? {};
  const texts = conditions.map(({ type, status: value, reason }) => `${type} ${value} ${reason}`);
  return JSON.stringify([observedGeneration, clusterId, epoch !== undefined, texts.toSorted()]);
}
