import { type Mutant, mutant } from './mutant.ts';

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  mutant(
    'R5: no change of configuration before an entry of the own term is committed',
    'a change needs a settled term',
    'proposal.ts',
    "if (!isTermSettled(raft)) return { type: 'refused', reason: 'term-not-settled' };",
    '',
  ),
  mutant(
    'R5: one change of configuration at a time',
    'one open change at most',
    'proposal.ts',
    "if (index > raft.log.commit) return { type: 'refused', reason: 'change-in-progress', index };",
    '',
  ),
  mutant(
    'R14: an installed snapshot drops later entries and their configuration',
    'a snapshot replaces the log',
    'log.ts',
    'this.#entries = [];\n    this.#stable',
    'this.#entries = this.#entries.filter((one) => one.index > snapshot.index);\n    this.#stable',
  ),
  mutant(
    'R15: a snapshot holds the configuration of its index, not a later one',
    'the configuration as of the index',
    'log.ts',
    'configuration: this.configurationAt(index), data',
    'configuration: this.current.configuration, data',
  ),
  mutant(
    'R15: compaction keeps a later configuration, and its loss restores the one before',
    'a dropped entry takes its configuration along',
    'log.ts',
    'while (this.current.index >= start) this.#configurations.pop();',
    '',
  ),
  mutant(
    'R16: a restart takes up the latest configuration of the log, committed or not',
    'uncommitted configurations are reloaded',
    'log.ts',
    'for (const entry of this.#entries) if (entry.index > index) this.#noteConfiguration(entry);',
    '',
  ),
  mutant(
    'R16: a joint configuration is left only once it is committed',
    'leave after commit',
    'commit.ts',
    'if (index > raft.log.commit) return;',
    'if (index < 0) return;',
  ),
  mutant(
    'R17: a joint configuration commits by a majority of each half',
    'both halves count',
    'quorum.ts',
    'return Math.min(incoming, ',
    'return Math.max(incoming, ',
  ),
  mutant(
    'R17: what shares a batch with a new configuration needs its quorum',
    'the latest configuration counts',
    'commit.ts',
    'quorumValue(log.current.configuration, matchOf)',
    'quorumValue(log.configurationAt(log.commit), matchOf)',
  ),
  mutant(
    'Thesis 4.2.1: a learner that lags is not promoted',
    'promotion needs a caught-up learner',
    'proposal.ts',
    'if (entriesMissing > raft.options.promotionLagEntriesMax)',
    'if (entriesMissing < 0)',
  ),
  mutant(
    'Thesis 4.2.2: a leader that appended its own removal and crashed may still win, by others’ votes',
    'an open removal does not bar from campaigning',
    'state.ts',
    ' || isVoter(log.configurationAt(log.commit), options.id)',
    '',
  ),
];

export const READ_MUTANTS: readonly Mutant[] = [
  mutant(
    'R7: a read waits for a commit in the own term',
    'reads wait for the term to settle',
    'read-index.ts',
    ' || !isTermSettled(raft)',
    '',
  ),
  mutant(
    'R8: only an answer to the read’s own round confirms it',
    'answers name their round',
    'replication.ts',
    'Math.max(progress.readRound, message.round)',
    'leader.reads.latest',
  ),
  mutant(
    'R8: an answer to a request of an earlier life confirms nothing',
    'requests name their incarnation',
    'read-index.ts',
    ' || id.incarnation !== raft.options.incarnation',
    '',
  ),
  mutant(
    'R9: a deposed leader confirms no read, and says so once it knows',
    'a read needs a quorum',
    'read-index.ts',
    'leader.reads.confirm(confirmed)',
    'leader.reads.confirm(leader.reads.latest)',
  ),
  mutant(
    'R10: recent answers confirm no later read, however little time has passed',
    'no lease in place of a round',
    'read-index.ts',
    'leader.progress.get(member)?.readRound ?? 0',
    'leader.progress.get(member)?.isActive ? leader.reads.latest : 0',
  ),
];
