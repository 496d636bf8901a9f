import { type Mutant, mutant } from './mutant.ts';
import { ELECTION_MUTANTS } from './mutants-elections.ts';
import { LOG_MUTANTS } from './mutants-log.ts';
import { MEMBERSHIP_MUTANTS, READ_MUTANTS } from './mutants-membership.ts';

const WORLD = 'R23: a group under loss, partitions, crashes and changes of membership keeps every promise';

/** What the random group catches by itself, without a test made for it. */
const RANDOM: readonly Mutant[] = [
  mutant(
    WORLD,
    'the vote is restored',
    'raft.ts',
    '      vote,\n      role:',
    '      vote: undefined,\n      role:',
  ),
  mutant(
    WORLD,
    'the vote falls with the term only',
    'state.ts',
    'if (term !== raft.term) raft.vote = undefined;',
    'raft.vote = undefined;',
  ),
  mutant(WORLD, 'commit by the own term only', 'commit.ts', ' || log.termAt(reached) !== raft.term', ''),
  mutant(
    WORLD,
    'both halves of a joint configuration count',
    'quorum.ts',
    'return Math.min(incoming, ',
    'return Math.max(incoming, ',
  ),
  mutant(
    WORLD,
    'one open change at most',
    'proposal.ts',
    "if (index > raft.log.commit) return { type: 'refused', reason: 'change-in-progress', index };",
    '',
  ),
  mutant(
    WORLD,
    'unpersisted entries do not count',
    'replication.ts',
    'accepted(raft.log.stable)',
    'accepted(raft.log.last.index)',
  ),
  mutant(
    WORLD,
    'only a conflict drops entries',
    'log.ts',
    'if (conflict >= 0) this.append(entries.slice(conflict));',
    'if (conflict >= -1) this.append(entries);',
  ),
  mutant(
    WORLD,
    'reads need a quorum',
    'read-index.ts',
    'leader.reads.confirm(confirmed)',
    'leader.reads.confirm(leader.reads.latest)',
  ),
  mutant(
    WORLD,
    'votes go to logs that are as complete',
    'voter.ts',
    'isFree && raft.log.isCoveredBy(last)',
    'isFree',
  ),
  mutant(
    WORLD,
    'a vote waits for the disk',
    'raft.ts',
    'earlyMessages: outbox.filter(isFromLeader)',
    'earlyMessages: outbox',
  ),
  mutant(
    WORLD,
    'the voter does not ask whether it is one',
    'voter.ts',
    'const isGranted = term === raft.term &&',
    'const isGranted = raft.log.current.configuration.voters.includes(raft.options.id) && term === raft.term &&',
  ),
  mutant(
    WORLD,
    'a refused pre-vote carries the own term',
    'voter.ts',
    'isGranted ? term : raft.term',
    'term',
  ),
  mutant(
    WORLD,
    'a snapshot is taken in order',
    'snapshot-assembly.ts',
    'chunk.offset === this.#bytes && ',
    '',
  ),
  mutant(
    WORLD,
    'an open removal does not bar from campaigning',
    'state.ts',
    ' || isVoter(log.configurationAt(log.commit), options.id)',
    '',
  ),
  mutant(
    WORLD,
    'a caught-up member leaves the snapshot state',
    'progress.ts',
    'if (this.#match >= flow.snapshot.index) this.#replicate();',
    '',
  ),
];

/** Rules of the core and the tests that notice when they are gone. */
export const MUTANTS: readonly Mutant[] = [
  ...ELECTION_MUTANTS,
  ...LOG_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...READ_MUTANTS,
  ...RANDOM,
];
