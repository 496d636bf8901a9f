import type { Prng } from '../../core/prng/prng.ts';

export function pick<T>(all: readonly T[], prng: Prng): T | undefined {
  return all[prng.below(all.length)];
}
