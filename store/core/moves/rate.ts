/** Bytes by second, the last few of them, in their order. */
export type RateWindow = readonly { readonly second: number; readonly bytes: number }[];

export const EMPTY_WINDOW: RateWindow = [];
/** What a rate is taken over. */
export const RATE_SECONDS = 10;

export function addBytes(window: RateWindow, nowMs: number, bytes: number): RateWindow {
  const second = Math.floor(nowMs / 1000);
  const kept = window.filter((one) => one.second > second - RATE_SECONDS);
  const last = kept.at(-1);
  if (last?.second !== second) return [...kept, { second, bytes }];
  return [...kept.slice(0, -1), { second, bytes: last.bytes + bytes }];
}

/** Bytes a second over the last ten, or since the first of them. */
export function rateOf(window: RateWindow, nowMs: number): number {
  const second = Math.floor(nowMs / 1000);
  const kept = window.filter((one) => one.second > second - RATE_SECONDS);
  const first = kept[0];
  if (first === undefined) return 0;
  const bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
  return bytes / Math.max(1, Math.min(RATE_SECONDS, nowMs / 1000 - first.second));
}
