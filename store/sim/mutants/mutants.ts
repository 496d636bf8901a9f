import { DATA_MUTANTS } from './data-mutants.ts';
import { MOVE_MUTANTS } from './move-mutants.ts';
import { type Mutant, mutant } from './mutant.ts';

const RAFT = 'store/core/raft';

const ELECTIONS: readonly Mutant[] = [
  mutant(
    'vote-sent-before-disk',
    'a vote is on the disk before it is sent',
    `${RAFT}/raft.ts`,
    'earlyMessages: outbox.filter(isFromLeader)',
    'earlyMessages: outbox',
  ),
  mutant(
    'vote-forgotten-at-restart',
    'the vote survives a restart',
    `${RAFT}/raft.ts`,
    '      vote,\n      role:',
    '      vote: undefined,\n      role:',
  ),
  mutant(
    'two-votes-in-a-term',
    'one vote in each term',
    `${RAFT}/voter.ts`,
    'const isFree = raft.vote === from || (raft.vote === undefined && leaderOf(raft) === undefined);',
    'const isFree = true;',
  ),
  mutant(
    'vote-for-a-shorter-log',
    'votes go to logs that are as complete',
    `${RAFT}/voter.ts`,
    'isFree && raft.log.isCoveredBy(last)',
    'isFree',
  ),
  mutant(
    'no-pre-vote-lease',
    'while a leader is heard nobody is helped to depose it',
    `${RAFT}/voter.ts`,
    '  if (isLeaderProtected(raft)) return;\n  const isGranted = term > raft.term',
    '  const isGranted = term > raft.term',
  ),
];

const LOG: readonly Mutant[] = [
  mutant(
    'commit-of-an-older-term',
    'only an entry of the own term commits',
    `${RAFT}/commit.ts`,
    ' || log.termAt(reached) !== raft.term',
    '',
  ),
  mutant(
    'leader-counts-what-is-not-on-disk',
    'the leader counts its own log once it is on disk',
    `${RAFT}/replication.ts`,
    'accepted(raft.log.stable)',
    'accepted(raft.log.last.index)',
  ),
  mutant(
    'acknowledged-before-fsync',
    'entries are synced before they are acknowledged',
    'store/cluster/raft-driver.ts',
    'hardState: this.#unwritten }, { sync: true }',
    'hardState: this.#unwritten }, { sync: false }',
  ),
  mutant(
    'old-append-truncates',
    'only a conflict drops entries',
    `${RAFT}/log.ts`,
    'if (conflict >= 0) this.append(entries.slice(conflict));',
    'if (entries.length > 0 && previous.index >= this.#commit) this.append(entries);',
  ),
  {
    name: 'applied-before-commit',
    rule: 'only what is committed is applied',
    edits: [
      {
        file: `${RAFT}/log.ts`,
        from: 'if (this.#applied === this.#commit) return [];\n    return this.slice(plus(this.#applied, 1), bytesMax, this.#commit);',
        to: 'if (this.#applied >= this.last.index) return [];\n    return this.slice(plus(this.#applied, 1), bytesMax, this.last.index);',
      },
      {
        file: `${RAFT}/log.ts`,
        from: 'invariant(index <= this.#commit, `applied',
        to: 'invariant(true, `applied',
      },
    ],
  },
];

const MEMBERSHIP: readonly Mutant[] = [
  mutant(
    'joint-quorum-counted-as-one',
    'a joint configuration decides by both of its halves',
    `${RAFT}/quorum.ts`,
    'return Math.min(incoming, ',
    'return Math.max(incoming, ',
  ),
  mutant(
    'no-joint-consensus',
    'several voters change through joint consensus',
    `${RAFT}/configuration.ts`,
    'const isSimple = left + joined <= 1;',
    'const isSimple = true;',
  ),
  mutant(
    'learner-counts-as-voter',
    'learners decide nothing',
    `${RAFT}/quorum.ts`,
    'majorityValue(configuration.voters, reachedBy)',
    'majorityValue([...configuration.voters, ...configuration.learners], reachedBy)',
  ),
  mutant(
    'snapshot-with-a-newer-configuration',
    'a snapshot holds the configuration as of its index',
    `${RAFT}/log.ts`,
    'configuration: this.configurationAt(index), data }',
    'configuration: this.current.configuration, data }',
  ),
  mutant(
    'snapshot-leaves-the-old-configuration',
    'an installed snapshot brings its configuration',
    `${RAFT}/log.ts`,
    'this.#applied = snapshot.index;\n    this.#rebuildConfigurations();',
    'this.#applied = snapshot.index;',
  ),
  mutant(
    'two-open-changes',
    'one open change of the configuration at a time',
    `${RAFT}/proposal.ts`,
    "if (index > raft.log.commit) return { type: 'refused', reason: 'change-in-progress', index };",
    '',
  ),
];

const READS: readonly Mutant[] = [
  mutant(
    'read-without-a-quorum-round',
    'a linearizable read waits for a quorum',
    `${RAFT}/read-index.ts`,
    'leader.reads.confirm(confirmed)',
    'leader.reads.confirm(leader.reads.latest)',
  ),
  mutant(
    'read-before-it-is-applied',
    'a confirmed read waits until its index is applied',
    'store/cluster/pending-reads.ts',
    'read.index <= index',
    'index >= 0',
  ),
];

const TOPOLOGY: readonly Mutant[] = [
  mutant(
    'unknown-told-as-refused',
    'what may have been done is never told to be refused',
    'store/cluster/leader-calls.ts',
    'if (error.isUnsent)',
    'if (error.isUnsent || timeoutMs > 0)',
  ),
  mutant(
    'epoch-raised-twice',
    'every change raises the epoch by one',
    'store/core/topology/outcome.ts',
    'toEpoch(state.epoch + 1)',
    'toEpoch(state.epoch + 2)',
  ),
  mutant(
    'wiped-node-keeps-its-number',
    'another directory is another member',
    'store/core/topology/join.ts',
    'if (sameName?.directoryId === directoryId)',
    'if (sameName !== undefined)',
  ),
  {
    name: 'older-life-welcome',
    rule: 'an older copy of a disk is told apart and counts no more',
    edits: [
      {
        file: 'store/core/topology/start.ts',
        from: 'const problem = findStaleness(member, command);',
        to: 'const problem = false as boolean ? findStaleness(member, command) : undefined;',
      },
      {
        file: 'store/peer/judge-hello.ts',
        from: 'if (known.incarnation === 0 || follows(claimed, known)) return undefined;',
        to: 'if (follows(claimed, known) || claimed.incarnation > 0) return undefined;',
      },
      {
        file: 'store/cluster/member.ts',
        from: 'if (!follows(this.succession, own))',
        to: 'if (own.incarnation < 0 && !follows(this.succession, own))',
      },
      {
        file: 'store/cluster/other-life.ts',
        from: 'if (known === undefined) return false;',
        to: 'if (known === undefined || known.incarnation >= 0) return false;',
      },
    ],
  },
  mutant(
    'foreign-cluster-welcome',
    'nodes of two clusters have no link',
    'store/peer/judge-hello.ts',
    'local.clusterId !== undefined && hello.clusterId !== undefined && local.clusterId !== hello.clusterId',
    'false',
  ),
];

/** By the part of a node whose rules they are, for the command line. */
export const MUTANT_GROUPS: ReadonlyMap<string, readonly Mutant[]> = new Map([
  ['topology', [...ELECTIONS, ...LOG, ...MEMBERSHIP, ...READS, ...TOPOLOGY]],
  ['data', DATA_MUTANTS],
  ['moves', MOVE_MUTANTS],
]);

/** Rules of the node, each of which the short form of the simulator notices when it is gone. */
export const MUTANTS: readonly Mutant[] = [...MUTANT_GROUPS.values()].flat();
