import type { MemberId } from '../raft/types.ts';
import type { ApplyOutcome, CommandOf, MoveSources } from '../topology/command.ts';
import type { MoveAt, MoveIn, Synced, TopologyState } from '../topology/types.ts';
import {
  applyStageSteps,
  changed,
  HELD,
  type Judged,
  judgedBad,
  judgeRetired,
  type MoveStep,
  withMove,
} from './batch.ts';
import { hasAll, sourcesNeeded, syncedSourcesOf, unsyncedWith, withMembers } from './rules.ts';

/**
 * Stage 2: F is asked, both acknowledge. Q is fixed among those of F that confirmed, and every member of T, also an old
 * one, synchronises with every member of Q: one source alone may have missed what W others acknowledged.
 *
 * Q can be fixed again, since a source may be lost. What was synchronised stays: each pair is a fact about a source that had
 * confirmed, whichever set it was in then.
 */
export function applyMoveSources(state: TopologyState, command: CommandOf<'move-sources'>): ApplyOutcome {
  return applyStageSteps(state, 'transfer', command.moves, judgeSources);
}

export function applyMoveSynced(state: TopologyState, command: CommandOf<'move-synced'>): ApplyOutcome {
  return applyStageSteps(state, 'transfer', command.moves, (step) => judgeSynced(step, command.member));
}

export function applyMoveSwitch(state: TopologyState, command: CommandOf<'move-switch'>): ApplyOutcome {
  return applyStageSteps(state, 'transfer', command.moves, (step) => judgeSwitch(state, step));
}

type TransferStep<I = MoveSources> = MoveStep<I, MoveIn<'transfer'>>;

function judgeSources({ item, partition, move, name }: TransferStep): Judged {
  const sources = withMembers([], item.sources);
  if (!hasAll(move.confirmed, sources)) {
    const shown = `[${sources.join(', ')}] of [${move.confirmed.join(', ')}]`;
    return judgedBad('MOVE_NOT_READY', `${name} cannot take ${shown}: a source must have confirmed first.`);
  }
  const needed = sourcesNeeded(partition.replicas);
  if (sources.length < needed) {
    const why = 'with fewer, an acknowledged write could be on none of them';
    return judgedBad('MOVE_NOT_READY', `${name} needs ${needed} sources, not ${sources.length}: ${why}.`);
  }
  if (sources.length === move.sources.length && hasAll(sources, move.sources)) return HELD;
  return withMove(partition, { ...move, sources });
}

function judgeSynced({ item, partition, move, name }: TransferStep, member: MemberId): Judged {
  if (!move.to.includes(member)) {
    return judgedBad('BAD_MOVE', `Member ${member} synchronises nothing in ${name}: only members of T do.`);
  }
  // Only a source that was fixed had its confirmation read by whoever began to synchronise with it.
  if (!hasAll(move.sources, item.sources)) {
    const shown = `[${item.sources.join(', ')}]; its sources are [${move.sources.join(', ')}]`;
    return judgedBad('MOVE_NOT_READY', `${name} was synchronised with ${shown}. Synchronise with those.`);
  }
  const before = syncedSourcesOf(move, member);
  const sources = withMembers(
    before,
    item.sources.filter((source) => source !== member),
  );
  if (sources.length === before.length) return HELD;
  return withMove(partition, { ...move, synced: withSynced(move.synced, { member, sources }) });
}

function withSynced(all: readonly Synced[], one: Synced): readonly Synced[] {
  return [...all.filter(({ member }) => member !== one.member), one].sort((a, b) => a.member - b.member);
}

function judgeSwitch(state: TopologyState, { partition, move, next, name }: TransferStep<MoveAt>): Judged {
  const { session, to, sources } = move;
  const retired = judgeRetired(state, move, name);
  if (retired !== undefined) return retired;
  if (sources.length === 0) return judgedBad('MOVE_NOT_READY', `${name} has no sources yet.`);
  const open = sources.find((source) => unsyncedWith(move, source).length > 0);
  if (open !== undefined) {
    const missing = unsyncedWith(move, open).join(', ');
    return judgedBad('MOVE_NOT_READY', `${name} waits for ${missing} to synchronise with ${open}.`);
  }
  return changed({ ...partition, epoch: next, move: { session, to, stage: 'switch', confirmed: [] } });
}
