import { canStop } from '../core/moves/can-stop.ts';
import type { MoveFacts } from '../core/moves/next-step.ts';
import type { Configuration, MemberId } from '../core/raft/types.ts';
import type { CommandOf, RequestedWant, TopologyCommand, TopologyRefusal } from '../core/topology/command.ts';
import type { TopologyState } from '../core/topology/types.ts';
import { namespaceRefusal } from './namespace-refusal.ts';
import { removalRefusal } from './removal-refusal.ts';

export type RefusalFacts = {
  readonly configuration: Configuration;
  readonly namespacesMax: number;
  /** As far as gossip tells. */
  isUp(member: MemberId): boolean;
  stopFacts(state: TopologyState): MoveFacts & { readonly voters: readonly MemberId[] };
};

/** Why the leader does not propose a command, by what it alone can tell; everything else is for `applyCommand` to refuse. */
export function leaderRefusal(
  command: TopologyCommand,
  state: TopologyState | undefined,
  facts: RefusalFacts,
): TopologyRefusal | undefined {
  switch (command.type) {
    case 'remove-member':
      return removalRefusal(command.member, facts.configuration, facts.isUp);
    case 'operation-end': {
      const want = state?.operations.find(({ id }) => id === command.id)?.want;
      if (want === undefined || !('member' in want)) return undefined;
      return removalRefusal(want.member, facts.configuration, facts.isUp);
    }
    case 'stop-lease':
      return stopRefusal(command, state, facts);
    case 'operation-start':
      return command.isForced ? undefined : replacementRefusal(command.want, state, facts);
    case 'create-namespace':
      return namespaceRefusal(command.name, state?.namespaces, facts.namespacesMax);
    default:
      return undefined;
  }
}

/** Whoever decided it may see the others as up still that the leader knows to be down. */
function stopRefusal(
  { member, atMs: nowMs }: CommandOf<'stop-lease'>,
  state: TopologyState | undefined,
  { stopFacts }: RefusalFacts,
): TopologyRefusal | undefined {
  if (state === undefined || !state.members.has(member)) return undefined;
  const verdict = canStop(state, member, { ...stopFacts(state), nowMs, hintsFor: () => 0 });
  return verdict.canStop ? undefined : { code: 'QUORUM_AT_RISK', message: verdict.reasons.join('; ') };
}

function replacementRefusal(
  want: RequestedWant,
  state: TopologyState | undefined,
  { isUp }: RefusalFacts,
): TopologyRefusal | undefined {
  if (want.type !== 'replace' || !isUp(want.member)) return undefined;
  const known = state?.members.get(want.member);
  if (known === undefined) return undefined;
  const message = `${known.name} is up.`;
  return { code: 'MEMBER_ALIVE', message };
}
