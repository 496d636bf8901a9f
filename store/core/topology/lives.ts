import type { Incarnation } from './types.ts';

/**
 * A life names the start that it is, and those of the same directory before it, newest first. An incarnation is only a
 * count: an older copy of a directory that starts often enough comes to a higher one than the cluster has seen, and what
 * gives it away is that it does not know the life that the cluster saw.
 */
const LIFE_CHARACTERS = 8;
const LIVES_MAX = 16;
const LIVES = /^([0-9a-f]{8})+$/;

/** The life of a start that follows `previous`; `drawn`: 8 hexadecimal digits. */
export function nextLife(drawn: string, previous: string): string {
  return (LIVES.test(previous) ? drawn + previous : drawn).slice(0, LIFE_CHARACTERS * LIVES_MAX);
}

/** Whether a directory in `claimed` may have come from `known`, in which the cluster saw it: true also where nobody can tell. */
export function mayFollow(claimed: Incarnation, known: Incarnation): boolean {
  if (claimed.incarnation <= known.incarnation || known.incarnation === 0)
    return claimed.incarnation > known.incarnation;
  if (!LIVES.test(claimed.life) || !LIVES.test(known.life)) return true;
  const at = LIFE_CHARACTERS * (claimed.incarnation - known.incarnation);
  const ancestor = claimed.life.slice(at, at + LIFE_CHARACTERS);
  return ancestor === '' || known.life.startsWith(ancestor);
}
