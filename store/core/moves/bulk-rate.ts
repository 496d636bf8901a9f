/**
 * How fast the bulk of partitions may travel beside requests of clients, by the clients' p99. It falls fast, since the queue that
 * it sees is there already, and rises slowly, so that it settles near what leaves the p99 at its target. Both are shares of the
 * rate itself: the p99 tells of a rate a second or two later, and a step that is small for a fast network would by then be
 * many times what a busy machine can carry. There is a floor: a cluster that is overloaded without the moves would else never
 * get the nodes that it needs.
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
/** From the default floor to the default limit in 7 s. */
const INCREASE = 1.4;

/** `p99Ms` undefined: so few requests that none is held up by the bulk, or nobody would notice. */
export function nextBulkRate(
  options: BulkRateOptions,
  bytesPerSecond: number,
  p99Ms: number | undefined,
): number {
  const { targetMs, bytesPerSecondMax } = options;
  const bytesPerSecondMin = Math.min(options.bytesPerSecondMin, bytesPerSecondMax);
  if (p99Ms === undefined) return bytesPerSecondMax;
  const next = bytesPerSecond * (p99Ms > targetMs ? DECREASE : INCREASE);
  return Math.min(bytesPerSecondMax, Math.max(bytesPerSecondMin, next));
}
