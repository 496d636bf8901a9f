/**
 * How fast the bulk of partitions may travel beside requests of clients: additive increase, multiplicative decrease (Chiu and
 * Jain 1989) on the rate, by the clients' p99. It falls fast, since the queue that it sees is there already, and rises slowly,
 * so that it settles near what leaves the p99 at its target. There is a floor: a cluster that is overloaded without the
 * moves would else never get the nodes that it needs.
 */
export type BulkRateOptions = {
  /** `moves.latencyTargetMs` */
  readonly targetMs: number;
  /** `moves.bytesPerSecondMin` */
  readonly bytesPerSecondMin: number;
  /** `moves.bytesPerSecond` */
  readonly bytesPerSecondMax: number;
};

/** Between two changes of the rate: about what the p99 takes to show the one before. */
export const BULK_RATE_PERIOD_MS = 500;
const DECREASE = 0.6;
/** Of the limit, in each period: from the floor to the limit in 10 s. */
const INCREASE_SHARE = 1 / 20;

/** `p99Ms` undefined: so few requests that none is held up by the bulk, or nobody would notice. */
export function nextBulkRate(
  options: BulkRateOptions,
  bytesPerSecond: number,
  p99Ms: number | undefined,
): number {
  const { targetMs, bytesPerSecondMax } = options;
  const bytesPerSecondMin = Math.min(options.bytesPerSecondMin, bytesPerSecondMax);
  if (p99Ms === undefined) return bytesPerSecondMax;
  const next =
    p99Ms > targetMs ? bytesPerSecond * DECREASE : bytesPerSecond + bytesPerSecondMax * INCREASE_SHARE;
  return Math.min(bytesPerSecondMax, Math.max(bytesPerSecondMin, next));
}
