import { KvorumClient } from '../../../client/src/index.ts';
import { until } from '../kubectl.ts';
import type { StoreAddress } from '../kv-cluster.ts';
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
  { url, token }: StoreAddress,
  states: ReadonlyMap<string, KeyState>,
): Promise<ReadBack> {
  // Members know each other by names that only pods can look up.
  const client = new KvorumClient({ url, ring: false, ...(token !== undefined && { token }) });
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

async function valuesOf(
  client: KvorumClient,
  keys: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const operations = keys.map((key) => ({ op: 'get', key }) as const);
  const results = await client.batch('default', operations);
  return results.map((result) => {
    if (!result.ok && result.code !== 'KEY_NOT_FOUND') throw new Error(`${result.code}: ${result.detail}`);
    return result.ok && result.value !== undefined ? Buffer.from(result.value).toString('utf8') : undefined;
  });
}
