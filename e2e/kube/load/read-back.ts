import { until } from '../kubectl.ts';
import { type StoreAddress, storeClient, valuesOf } from '../store-client.ts';
import { type KeyState, problemOf } from './key-states.ts';

const KEYS_EACH = 250;
const LIMIT_MS = 60_000;
const PROBLEMS_TOLD_MAX = 10;

/** Keys that were read after the load, and what is there that cannot be. */
export type ReadBack = {
  readonly keys: number;
  readonly problemCount: number;
  /** The first of them. */
  readonly problems: readonly string[];
};

/** Reads every key at a quorum. Where the store cannot answer it is asked again for a minute. */
export async function readBack(
  address: StoreAddress,
  states: ReadonlyMap<string, KeyState>,
): Promise<ReadBack> {
  const client = storeClient(address);
  const problems: string[] = [];
  try {
    const all = [...states.keys()];
    for (let i = 0; i < all.length; i += KEYS_EACH) {
      const keys = all.slice(i, i + KEYS_EACH);
      const values = await until('reading back', LIMIT_MS, async () => await valuesOf(client, keys));
      for (const [j, key] of keys.entries()) {
        const problem = problemOf(key, values[j], states.get(key) as KeyState);
        if (problem !== undefined) problems.push(problem);
      }
    }
    return {
      keys: all.length,
      problemCount: problems.length,
      problems: problems.slice(0, PROBLEMS_TOLD_MAX),
    };
  } finally {
    await client.close();
  }
}
