import { follows } from '../core/topology/succession.ts';
import type { TopologyState } from '../core/topology/types.ts';
import type { Hello } from '../peer/messages.ts';

/**
 * What an earlier life of a member says counts no more once the topology knows a later one, nor what a copy says that
 * runs as the same one: a link may have been made before that was known.
 */
export function isOtherLife({ member, directoryId }: Hello, state: TopologyState | undefined): boolean {
  if (member === undefined) return true;
  const known = state?.members.get(member.number);
  if (known === undefined) return false;
  if (directoryId !== known.directoryId || member.incarnation < known.incarnation) return true;
  return !follows(member, known);
}
