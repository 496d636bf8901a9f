import { createPrng, type Prng } from '../core/prng/prng.ts';
import type { Random } from '../ports/random.ts';

/** The numbers of a seed: two simulations of one seed draw the same. */
export function createSimRandom(seed: number): Random {
  return randomOf(createPrng(seed));
}

export function randomOf(prng: Prng): Random {
  return {
    unit: prng.unit,
    bytes: (length) => Uint8Array.from({ length }, () => prng.below(256)),
  };
}
