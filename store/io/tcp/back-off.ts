import type { Random } from '../../ports/random.ts';

const FIRST_MS = 50;

/** The wait before attempt `failures` + 1: doubling up to `maxMs`, half of it random so that nodes spread out. */
export function reconnectDelayMs(failures: number, maxMs: number, random: Random): number {
  const fullMs = Math.min(maxMs, FIRST_MS * 2 ** Math.min(failures, 20));
  return fullMs / 2 + (random.unit() * fullMs) / 2;
}
