/** Rules of the core and the tests that notice when they are gone; see mutants.test.ts. */
export type Mutant = {
  readonly caughtBy: string;
  /** The rule that is taken out. */
  readonly rule: string;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
};

const WORLD = 'R23: a group under loss, partitions, crashes and changes of membership keeps every promise';

function mutant(caughtBy: string, rule: string, file: string, from: string, to: string): Mutant {
  return { caughtBy, rule, edits: [{ file, from, to }] };
}

const ELECTIONS: readonly Mutant[] = [
  mutant(
    'R1: a sole voter leads only once its own vote is on disk',
    'the own vote counts once it is durable',
    'candidate.ts',
    "askVoters(raft, (voter) => send(raft, voter, { type: 'vote', last, isTransfer }));",
    "askVoters(raft, (voter) => send(raft, voter, { type: 'vote', last, isTransfer }));\n  countVote(raft, raft.role, raft.options.id, true);",
  ),
  mutant(
    'R1: a vote leaves with the Ready that persists it, and binds after a restart',
    'the vote is persisted',
    'raft.ts',
    ' && this.#persisted.vote === vote;',
    ';',
  ),
  mutant(
    'R1: a vote leaves with the Ready that persists it, and binds after a restart',
    'the vote is restored',
    'raft.ts',
    '      vote,\n      role:',
    '      vote: undefined,\n      role:',
  ),
  mutant(
    'R2: a raised term and new entries are persisted with the answer that rests on them',
    'the term is persisted',
    'raft.ts',
    'this.#persisted.term === term && ',
    '',
  ),
  mutant(
    'R2: a leader counts its own disk only once it was told of it',
    'unpersisted entries do not count',
    'replication.ts',
    'accepted(raft.log.stable)',
    'accepted(raft.log.last.index)',
  ),
  mutant(
    'R2: only what a leader sends goes out before the disk is written',
    'a vote waits for the disk',
    'raft.ts',
    'earlyMessages: outbox.filter(isFromLeader)',
    'earlyMessages: outbox',
  ),
  mutant(
    'R3: the vote stays when a candidate falls back to follower in the same term',
    'the vote falls with the term only',
    'state.ts',
    'if (term !== raft.term) raft.vote = undefined;',
    'raft.vote = undefined;',
  ),
  mutant(
    'R3: the vote stays when the leader of the term is heard',
    'hearing the leader keeps the vote',
    'state.ts',
    'if (term !== raft.term) raft.vote = undefined;',
    'raft.vote = undefined;',
  ),
  mutant(
    'R11: a refused pre-vote tells the newer term, and the candidate takes it',
    'a refusal carries the own term',
    'voter.ts',
    'isGranted ? term : raft.term',
    'term',
  ),
  mutant(
    'R11: a leader of an older term hears that its term is over',
    'old leaders are answered',
    'step.ts',
    "if (isFromLeader(message)) send(raft, message.from, { type: 'stale-term' });",
    '',
  ),
  mutant(
    'R11: a pre-candidate protects no leader',
    'protection needs a known leader',
    'voter.ts',
    'leaderOf(raft) !== undefined && raft.ticksQuiet',
    'raft.ticksQuiet',
  ),
  mutant(
    'R12: a removed or cut-off member does not depose a live leader',
    'followers protect a live leader',
    'voter.ts',
    'return leaderOf(raft) !== undefined && raft.ticksQuiet < raft.options.electionTimeoutTicks;',
    'return false;',
  ),
  mutant(
    'R12: a member that is no voter does not campaign',
    'only voters campaign',
    'state.ts',
    'isVoter(log.current.configuration, options.id) ||',
    'true ||',
  ),
  mutant(
    'R13: a member that does not know yet that it is a voter votes',
    'the voter does not ask whether it is one',
    'voter.ts',
    'const isGranted = term === raft.term &&',
    'const isGranted = raft.log.current.configuration.voters.includes(raft.options.id) && term === raft.term &&',
  ),
  mutant(
    'R18: a vote is judged by the whole log, also by entries on their way to the disk',
    'unpersisted entries count in an election',
    'log.ts',
    'const own = this.last;\n    return',
    'const own = { index: this.#stable, term: this.termAt(this.#stable) as Term };\n    return',
  ),
  mutant(
    'R22: only voters elect, and each of them once',
    'a vote counts if a voter gave it',
    'candidate.ts',
    'switch (voteResult(raft.log.current.configuration, role.votes)) {',
    "const granted = [...role.votes.values()].filter(Boolean).length;\n  switch (granted > 2 ? 'won' : 'pending') {",
  ),
  mutant(
    'R22: a stranger’s answer is refused, whatever its term',
    'answers of strangers are refused',
    'step.ts',
    '!isTakenFromStrangers(message) && ',
    'false && ',
  ),
  mutant(
    'R22: a message for another member is refused',
    'messages name their receiver',
    'step.ts',
    'message.to !== raft.options.id || ',
    '',
  ),
];

const LOG: readonly Mutant[] = [
  mutant(
    'R4: an entry of an older term is committed only by one of the own term',
    'commit by the own term only',
    'commit.ts',
    ' || log.termAt(reached) !== raft.term',
    '',
  ),
  mutant(
    'R6: a term begins with an entry of its own',
    'a no-op at term start',
    'leader.ts',
    "appendOwn(raft, leader, { type: 'no-op' });",
    '',
  ),
  mutant(
    'R19: entries that should be there and are not are an error, not the end of the log',
    'missing entries are an error',
    'log.ts',
    'invariant(from >= this.first && through',
    'invariant(true || through',
  ),
  mutant(
    'R20: an old append does not shorten the log',
    'only a conflict drops entries',
    'log.ts',
    'if (conflict >= 0) this.append(entries.slice(conflict));',
    'if (conflict >= -1) this.append(entries);',
  ),
  mutant(
    'R20: a late rejection takes nothing back that was matched',
    'next stays above match',
    'progress.ts',
    'plus(maxIndex(this.#match, agreed), 1)',
    'plus(agreed, 1)',
  ),
  mutant(
    'R20: a late rejection takes nothing back that was matched',
    'a late rejection is ignored',
    'progress.ts',
    "this.#flow.type === 'replicate' ? rejected <= this.#match",
    "this.#flow.type === 'replicate' ? false",
  ),
  {
    caughtBy: 'R21: a leader that steps down keeps what it appended',
    rule: 'stepping down drops nothing',
    edits: [
      {
        file: 'log.ts',
        from: '  commitTo(index: LogIndex): void {',
        to: '  dropTail(): void { this.#entries.length = this.#commit - this.#base.index; }\n  commitTo(index: LogIndex): void {',
      },
      {
        file: 'state.ts',
        from: "  raft.role = { type: 'follower', leader };",
        to: "  if (raft.role.type === 'leader') (raft.log as any).dropTail();\n  raft.role = { type: 'follower', leader };",
      },
    ],
  },
  mutant(
    'R24: a log with a gap does not start',
    'a gap to the snapshot is refused',
    'log.ts',
    'invariant(\n    first.index <= snapshot.index + 1,',
    'invariant(\n    true,',
  ),
  mutant(
    'R24: a log with a gap does not start',
    'a gap in the log is refused',
    'log.ts',
    'invariant(entry.index === first.index + i, ',
    'invariant(true, ',
  ),
  mutant(
    'R24: a log that lost committed entries does not start',
    'a log that lost entries is refused',
    'log.ts',
    'invariant(\n      hardState.commit <= this.last.index,',
    'invariant(\n      true,',
  ),
  mutant(
    'R24: a log that contradicts its snapshot is dropped, one that goes on from it is kept',
    'the log must continue the snapshot',
    'log.ts',
    'if (entries[snapshot.index - first.index]?.term !== snapshot.term) return empty;',
    '',
  ),
  mutant(
    'R24: a second, older snapshot changes nothing',
    'snapshots only advance',
    'log.ts',
    'if (snapshot.index <= this.#snapshot.index) return;',
    '',
  ),
  mutant(
    'R25: what is refused is not in the log',
    'a refusal appends nothing',
    'proposal.ts',
    'if (data.length > commandBytesMax) {',
    "if (data.length > commandBytesMax) {\n    appendOwn(raft, leader, { type: 'command', data });",
  ),
  mutant(
    'R25: what is refused is not in the log',
    'the log of a busy leader is bounded',
    'proposal.ts',
    'if (uncommittedBytes + data.length > uncommittedBytesMax) {',
    'if (uncommittedBytes < 0) {',
  ),
  mutant(
    'R25: what is refused is not in the log',
    'no proposals during a transfer',
    'proposal.ts',
    'const { commandBytesMax, uncommittedBytesMax } = raft.options;\n  if (leader.transfer !== undefined)',
    'const { commandBytesMax, uncommittedBytesMax } = raft.options;\n  if (leader.transfer === null)',
  ),
  mutant(
    'R26: a proposal is not passed on to the leader',
    'no forwarding',
    'proposal.ts',
    "return { type: 'refused', reason: 'not-leader'",
    "raft.outbox.push({ type: 'timeout-now', from: 1, to: 2, term: raft.term });\n  return { type: 'refused', reason: 'not-leader'",
  ),
  mutant(
    'R27: a snapshot is installed only when every byte is there',
    'chunks are taken in order',
    'snapshot-assembly.ts',
    'chunk.offset === this.#bytes && ',
    '',
  ),
  mutant(
    'R27: a snapshot is installed only when every byte is there',
    'a snapshot is whole',
    'snapshot-assembly.ts',
    'return this.#bytes === bytesTotal ?',
    'return this.#bytes > 0 ?',
  ),
  mutant(
    'R27: chunks of different leaders are never joined',
    'one sender per snapshot',
    'snapshot-assembly.ts',
    'chunk.from === this.#from &&\n      chunk.term === term &&',
    '',
  ),
  mutant(
    'R27: a candidate takes the snapshot of the leader that won',
    'a candidate follows the leader of its term',
    'step.ts',
    "if (isFromLeader(message) && raft.role.type !== 'leader')",
    "if (isFromLeader(message) && raft.role.type === 'follower')",
  ),
  mutant(
    'R28: a heartbeat’s answer lets a probe go on',
    'a heartbeat answer ends the wait',
    'replication.ts',
    "if (progress.flow.type !== 'replicate') progress.flow.isWaiting = false;\n  else if (",
    "if (progress.flow.type === 'replicate' && ",
  ),
  mutant(
    'R28: a member that answers a probe is caught up, even with no news',
    'an answered probe ends',
    'progress.ts',
    'if (match < this.#match) return isNews;',
    'if (!isNews) return isNews;',
  ),
  mutant(
    'R28: a member that caught up by entries needs no snapshot any more',
    'a caught-up member leaves the snapshot state',
    'progress.ts',
    'if (this.#match >= flow.snapshot.index) this.#replicate();',
    '',
  ),
  mutant(
    'R28: a full window whose messages were lost and are compacted away falls back to a snapshot',
    'a compacted pipeline falls back',
    'replication.ts',
    'if (isCompacted(raft, progress)) progress.startSnapshot(raft.log.snapshot);\n  else sendAppend',
    'if (!isCompacted(raft, progress)) sendAppend',
  ),
];

const MEMBERSHIP: readonly Mutant[] = [
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

const READS: readonly Mutant[] = [
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
];

export const MUTANTS: readonly Mutant[] = [...ELECTIONS, ...LOG, ...MEMBERSHIP, ...READS, ...RANDOM];
