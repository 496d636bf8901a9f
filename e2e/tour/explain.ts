import type { Tourist } from './cities.ts';

/** What the tour needs of `kvorum explain --output json`. */
export type Explanation = {
  readonly safety: string;
  readonly verdict: string;
  readonly replicas: readonly { readonly name: string; readonly isReachable: boolean }[];
};

export function explain(tourist: Tourist, key: string): Explanation {
  return JSON.parse(tourist.cli('explain', key, '--output', 'json')) as Explanation;
}
