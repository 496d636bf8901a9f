import type { Random } from '../../store/ports/random.ts';

export type BackOffOptions = { readonly firstMs: number; readonly maxMs: number };

/** The wait after `failures` (from 1) in a row: doubling from `firstMs` to `maxMs`. */
export function backOffMs(failures: number, { firstMs, maxMs }: BackOffOptions): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 60));
}

/** `waitMs` and up to `factor` times as much on top, so that many who failed together do not return together. */
export function jittered(waitMs: number, factor: number, random: Random): number {
  return waitMs * (1 + factor * random.unit());
}
