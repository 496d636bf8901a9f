import type { LoadOptions } from './load.ts';

/**
 * The load of scenarios that break something. Every operation must come to its end with the attempts that it has, and nothing acknowledged may be
 * missing; but some wait until the others know that a member is away, and k6 begins fewer meanwhile.
 */
export const FAULT_LOAD: LoadOptions = { ratePerSecond: 50, droppedMax: 500, p99MsMax: 10_000 };

/** What is planned makes nobody wait who asks again: each pod leaves once the others serve without it, and is asked once it is answered. */
export const PLANNED_LOAD: LoadOptions = { ratePerSecond: 50 };

/** While nobody serves, operations fail: what counts is that nothing that was acknowledged is missing afterwards. */
export const OUTAGE_LOAD: LoadOptions = {
  ...FAULT_LOAD,
  errorsMax: 1_000_000,
  droppedMax: 1_000_000,
  p99MsMax: 60_000,
};
