import { randomBytes } from 'node:crypto';
import type { Random } from '../ports/random.ts';

export const systemRandom: Random = {
  unit: () => Math.random(),
  bytes: (length) => randomBytes(length),
};
