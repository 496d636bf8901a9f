import assert from 'node:assert/strict';
import { until } from './kubectl.ts';
import type { KvCluster } from './kv-cluster.ts';
import { valuesOf } from './store-client.ts';

/** A few keys, for scenarios that say what they do by other means than a load: written once, and read back as they were. */

const KEYS = 300;
const LIMIT_MS = 30_000;

/** Acknowledged by a quorum when it returns. */
export async function putKeys(cluster: KvCluster): Promise<ReadonlyMap<string, string>> {
  const keys = new Map(Array.from({ length: KEYS }, (_, i) => [`key-${i}`, `value ${i}`]));
  await using client = await cluster.client();
  const operations = [...keys].map(([key, value]) => ({ op: 'put', key, value }) as const);
  const results = await client.batch('default', operations);
  assert.deepEqual(
    results.filter(({ ok }) => !ok),
    [],
    'puts that failed',
  );
  return keys;
}

/** Each reads as it was written, at a quorum. A store that cannot answer is asked again for a while. */
export async function assertKeys(cluster: KvCluster, keys: ReadonlyMap<string, string>): Promise<void> {
  await using client = await cluster.client();
  const names = [...keys.keys()];
  const found = await until('the keys are read', LIMIT_MS, async () => await valuesOf(client, names));
  const wrong = [...keys]
    .filter(([, value], i) => found[i] !== value)
    .map(([key], i) => `${key}: ${found[i]}`);
  assert.deepEqual(wrong, [], 'keys that do not read as they were written');
}
