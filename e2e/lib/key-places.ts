import type { Cluster } from './cluster.ts';

/** Commands on keys that a node has got so far, by where the keys are seen from it. */
export type KeyPlaces = { readonly first: number; readonly replica: number; readonly elsewhere: number };

/** Of each node that runs, in their order. */
export function keyPlaces(cluster: Cluster): Promise<readonly KeyPlaces[]> {
  return Promise.all(
    cluster.awake().map(async ({ url }) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const count = (place: string): number =>
        Number(new RegExp(`^kvorum_resp_key_place_total\\{place="${place}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
      return { first: count('first'), replica: count('replica'), elsewhere: count('elsewhere') };
    }),
  );
}

/** What came since `before`, of the same nodes. */
export function since(before: readonly KeyPlaces[], now: readonly KeyPlaces[]): readonly KeyPlaces[] {
  return now.map(({ first, replica, elsewhere }, i) => {
    const from = before[i] ?? { first: 0, replica: 0, elsewhere: 0 };
    return {
      first: first - from.first,
      replica: replica - from.replica,
      elsewhere: elsewhere - from.elsewhere,
    };
  });
}
