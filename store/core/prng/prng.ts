/**
 * A small seeded generator (sfc32, from PractRand by Chris Doty-Humphrey): 128 bits of state, same numbers on
 * every machine. For simulation and jitter, never for secrets.
 */
export type Prng = {
  /** An integer in [0, 2^32). */
  uint32(): number;
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** A number in [0, 1). */
  unit(): number;
};

export function createPrng(seed: number): Prng {
  let a = 0;
  let b = seed >>> 0;
  let c = Math.floor(seed / 2 ** 32) >>> 0;
  let counter = 1;
  const uint32 = (): number => {
    const sum = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  for (let i = 0; i < 12; i++) uint32();
  const unit = (): number => uint32() / 2 ** 32;
  return { uint32, unit, below: (bound) => Math.floor(unit() * bound) };
}
