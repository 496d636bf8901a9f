import { z } from 'zod';

// Query values are text; these schemas check what it says and give back what it means.

export function integerText(min: number, max: number) {
  return z
    .string()
    .regex(/^(0|[1-9][0-9]{0,15})$/, `a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

/** How many of a replica set: one, a majority, or all. */
export function levelText() {
  return z
    .enum(['1', 'quorum', 'all'])
    .transform((text) => (text === '1' ? (1 as const) : text))
    .pipe(z.union([z.literal(1), z.enum(['quorum', 'all'])]));
}

export function booleanText() {
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .pipe(z.boolean());
}
