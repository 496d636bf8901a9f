import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPrng } from './prng.ts';

/** sfc32 as its author states it, in BigInt and 32 bits at every step. */
function* slowSfc32(seed: number): Generator<number> {
  const mask = 0xffff_ffffn;
  let a = 0n;
  let b = BigInt(seed) & mask;
  let c = (BigInt(seed) >> 32n) & mask;
  let counter = 1n;
  for (let i = 0; ; i++) {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((((c << 21n) & mask) | (c >> 11n)) + sum) & mask;
    if (i >= 12) yield Number(sum);
  }
}

const seed = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('createPrng gives the numbers of sfc32', () => {
  const scenario = (value: number): void => {
    const prng = createPrng(value);
    for (const expected of slowSfc32(value).take(100)) assert.equal(prng.uint32(), expected);
  };
  fc.assert(fc.property(seed, scenario));
});

test('createPrng.below and unit stay below their bounds', () => {
  const scenario = (value: number, bound: number): void => {
    const prng = createPrng(value);
    for (let i = 0; i < 50; i++) {
      const number = prng.below(bound);
      assert.ok(Number.isInteger(number) && number >= 0 && number < bound);
      const unit = prng.unit();
      assert.ok(unit >= 0 && unit < 1);
    }
  };
  fc.assert(fc.property(seed, fc.integer({ min: 1, max: 2 ** 32 }), scenario));
});

test('createPrng.below reaches every number about equally often', () => {
  const prng = createPrng(7);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) counts[prng.below(10)]! += 1;
  for (const count of counts) assert.ok(count > 9_500 && count < 10_500, String(counts));
});
