import type { Incarnation, Succession } from './types.ts';

/** The life that a directory is in. */
export function presentLife({ lives }: Succession): string {
  return lives.at(-1) ?? '';
}

/**
 * Whether a directory may have been at `recorded` and gone on from there. A view that is older than the first of its lives
 * says nothing against it: whoever has that view lags behind. Incarnations rise by one with each start, so a recorded one
 * has its place among the lives.
 */
export function follows({ incarnation, lives }: Succession, recorded: Incarnation): boolean {
  const first = incarnation - lives.length + 1;
  return recorded.incarnation < first || lives[recorded.incarnation - first] === recorded.life;
}
