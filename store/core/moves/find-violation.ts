import type { MemberId } from '../raft/types.ts';
import { LIMITS } from '../topology/limits.ts';
import type { Move, MoveIn, Partition } from '../topology/types.ts';
import { enteringOf, hasAll, sourcesNeeded, withMembers } from './rules.ts';

/** What is wrong with the move of a partition, or undefined. No sequence of commands leads to a violation. */
export function findMoveViolation(
  { replicas, epoch, move }: Partition,
  /** Also one that was retired since: it stays in its sets. */
  isGivenOut: (member: MemberId) => boolean,
): string | undefined {
  if (move === undefined) return undefined;
  const { session, stage, to } = move;
  const shown = `moves to [${to.join(', ')}]`;
  if (to.length < 1 || to.length > LIMITS.replicationFactorMax) return `${shown}, a set of the wrong size`;
  if (new Set(to).size !== to.length) return `${shown}, which names a member twice`;
  const stranger = to.find((member) => !isGivenOut(member));
  if (stranger !== undefined) return `${shown}, and ${stranger} never was a member`;
  // The stages are epochs of the session, and the first is its number.
  const isInOrder = stage === 'joint' ? Number(session) === epoch : session < epoch;
  if (!isInOrder || session < 1)
    return `is in the stage ${stage} of session ${session}, and at epoch ${epoch}`;
  return findInStage(replicas, move);
}

function findInStage(from: readonly MemberId[], move: Move): string | undefined {
  switch (move.stage) {
    case 'joint':
      return findInList('entered', move.entered, enteringOf(from, move.to));
    case 'transfer':
      return findInList('confirmed', move.confirmed, from) ?? findInTransfer(from, move);
    case 'switch':
      return findInList('confirmed', move.confirmed, from);
  }
}

function findInTransfer(from: readonly MemberId[], move: MoveIn<'transfer'>): string | undefined {
  const { sources, confirmed, synced, to } = move;
  if (sources.length > 0 && sources.length < sourcesNeeded(from)) return `has ${sources.length} sources`;
  const members = synced.map(({ member }) => member);
  return (
    findInList('sources', sources, confirmed) ??
    findInList('synced', members, to) ??
    synced.map((one) => findInSynced(one, confirmed)).find((problem) => problem !== undefined)
  );
}

function findInSynced(
  { member, sources }: MoveIn<'transfer'>['synced'][number],
  confirmed: readonly MemberId[],
): string | undefined {
  if (sources.length === 0 || sources.includes(member))
    return `has member ${member} synchronised with nobody else`;
  return findInList(`synced of ${member}`, sources, confirmed);
}

/** Sorted, each once, and none but `allowed`. */
function findInList(
  name: string,
  members: readonly MemberId[],
  allowed: readonly MemberId[],
): string | undefined {
  const shown = `has as ${name} [${members.join(', ')}]`;
  if (withMembers([], members).some((member, index) => member !== members[index]) || twice(members)) {
    return `${shown}, which is not sorted`;
  }
  return hasAll(allowed, members) ? undefined : `${shown}; allowed are [${allowed.join(', ')}]`;
}

function twice(members: readonly MemberId[]): boolean {
  return new Set(members).size !== members.length;
}
