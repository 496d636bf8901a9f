import { type Mutant, mutant } from './mutant.ts';

const MOVES = 'store/core/moves';
const QUORUM = 'store/core/quorum';
const REPLICA = 'store/replication/replica';

/** What the topology demands before it goes on. */
const STAGES: readonly Mutant[] = [
  mutant(
    'one-transfer-source',
    'T synchronises with N - W + 1 of F',
    `${MOVES}/rules.ts`,
    'export function sourcesNeeded(from: readonly MemberId[]): number {\n  return from.length - majority(from.length) + 1;',
    'export function sourcesNeeded(from: readonly MemberId[]): number {\n  return Math.min(1, majority(from.length));',
  ),
  {
    name: 'switched-before-transferred',
    rule: 'reads switch to T once each of T has synchronised with each of Q',
    edits: [
      {
        file: `${MOVES}/transfer.ts`,
        from: 'const open = sources.find((source) => unsyncedWith(move, source).length > 0);',
        to: 'const open = sources.find((source) => unsyncedWith(move, source).length > 99);',
      },
      {
        file: `${MOVES}/next-step.ts`,
        from: '  if (open.length > 0) {\n',
        to: '  if (open.length > 99) {\n',
      },
    ],
  },
  {
    name: 'done-unconfirmed',
    rule: 'a move is done once N - R + 1 of F confirmed the switch',
    edits: [
      {
        file: `${MOVES}/rules.ts`,
        from: 'export function confirmationsNeeded(from: readonly MemberId[]): number {\n  return from.length - majority(from.length) + 1;',
        to: 'export function confirmationsNeeded(from: readonly MemberId[]): number {\n  return 0 * majority(from.length);',
      },
    ],
  },
  mutant(
    'confirmations-of-two-stages',
    'a confirmation is of one epoch: that of the transfer says nothing about the switch',
    `${MOVES}/transfer.ts`,
    "move: { session, to, stage: 'switch', confirmed: [] } });",
    "move: { session, to, stage: 'switch', confirmed: move.confirmed } });",
  ),
  {
    name: 'cancelled-after-switch',
    rule: 'there is no way back once reads have switched',
    edits: [
      { file: `${MOVES}/cancel.ts`, from: "move.stage !== 'switch'", to: "move.stage !== ('' as string)" },
      {
        file: `${MOVES}/cancels-of.ts`,
        from: "if (move === undefined || move.stage === 'switch') return [];",
        to: 'if (move === undefined) return [];',
      },
    ],
  },
  mutant(
    'wiped-member-keeps-its-places',
    'a member that lost its disk is in no set, and no source, until it has entered',
    'store/core/topology/join.ts',
    '  return applied(before, { ...change, stopLeases, operations }, number);',
    `  const renamed = (set: readonly MemberId[]) => set.map((one) => (one === old?.number ? number : one));
  const partitions = before.partitions.map((one) => ({ ...one, replicas: renamed(one.replicas) }));
  return applied(before, { ...change, partitions, stopLeases, operations }, number);`,
  ),
];

/** What W and R are taken of. */
const QUORUMS: readonly Mutant[] = [
  mutant(
    'joint-acknowledged-by-t',
    'in stage 1 W of F acknowledge',
    `${QUORUM}/replica-sets.ts`,
    "    case 'joint':\n      return [sets.from];",
    "    case 'joint':\n      return [sets.to];",
  ),
  mutant(
    'transfer-acknowledged-by-f-alone',
    'in stage 2 W of F and W of T acknowledge',
    `${QUORUM}/write-decision.ts`,
    'for (const set of holdingSets(view.sets)) {',
    "for (const set of view.sets.type === 'transfer' ? [view.sets.from] : holdingSets(view.sets)) {",
  ),
  {
    ...mutant(
      'transfer-read-held-by-f-alone',
      'in stage 2 what a read answers is held by W of F and W of T',
      `${QUORUM}/read-decision.ts`,
      '  const sets = holdingSets(read.view.sets);\n',
      "  const sets = read.view.sets.type === 'transfer' ? [read.view.sets.from] : holdingSets(read.view.sets);\n",
    ),
    test: 'store/core/quorum/read-decision.test.ts',
  },
  mutant(
    'switch-acknowledged-by-t-alone',
    'in stage 3 W of F and W of T acknowledge',
    `${QUORUM}/write-decision.ts`,
    'for (const set of holdingSets(view.sets)) {',
    "for (const set of view.sets.type === 'switch' ? [view.sets.to] : holdingSets(view.sets)) {",
  ),
  mutant(
    'switch-read-held-by-t-alone',
    'in stage 3 what a read answers is held by W of F and W of T',
    `${QUORUM}/read-decision.ts`,
    '  const sets = holdingSets(read.view.sets);\n',
    "  const sets = read.view.sets.type === 'switch' ? [read.view.sets.to] : holdingSets(read.view.sets);\n",
  ),
  mutant(
    'asked-before-transferred',
    'F is asked until reads have switched',
    `${QUORUM}/replica-sets.ts`,
    "    case 'joint':\n    case 'transfer':\n      return sets.from;",
    "    case 'joint':\n      return sets.from;\n    case 'transfer':\n      return sets.to;",
  ),
];

/** What passes the fence of a replica. */
const FENCES: readonly Mutant[] = [
  {
    name: 'no-fence-on-reads',
    rule: 'a replica answers under its own epoch, and an answer counts under the epoch of the question',
    test: 'store/replication/replica/fence.test.ts',
    edits: [
      {
        file: `${REPLICA}/gate.ts`,
        from: 'if (partition.epoch !== request.epoch || !partition.isServing) return undefined;',
        to: "if (request.body.type === 'store' && (partition.epoch !== request.epoch || !partition.isServing)) return undefined;",
      },
      {
        file: `${QUORUM}/read-decision.ts`,
        from: '  const told = withEpochSeen(read, reply.epoch);\n  return counts(read, reply) ?',
        to: "  const isSight = reply.body.type === 'sight';\n  const told = isSight ? read : withEpochSeen(read, reply.epoch);\n  return counts(read, isSight ? { ...reply, epoch: read.view.epoch } : reply) ?",
      },
    ],
  },
  {
    // Also what is asked before the stamp: who is refused there begins again under the right epoch.
    name: 'acks-of-two-epochs',
    rule: 'a replica takes a write under its own epoch, and what it says counts under that of the write alone',
    test: 'store/core/quorum/write-decision.test.ts',
    edits: [
      {
        file: `${REPLICA}/gate.ts`,
        from: 'if (partition.epoch !== request.epoch || !partition.isServing) return undefined;',
        to: "if ((partition.epoch !== request.epoch && request.body.type === 'read') || !partition.isServing) return undefined;",
      },
      {
        file: `${QUORUM}/write-decision.ts`,
        from: '  const told = withEpochSeen(write, reply.epoch);\n  return counts(write, reply) ||',
        to: "  const isSaid = reply.body.type !== 'failed';\n  const told = isSaid ? write : withEpochSeen(write, reply.epoch);\n  return counts(write, isSaid ? { ...reply, epoch: write.view.epoch } : reply) ||",
      },
    ],
  },
  mutant(
    'epoch-not-durable',
    'an epoch is durable before anything is served under it',
    `${REPLICA}/partition-state.ts`,
    'this.hasEntered && this.isCurrent && this.durable.epoch === this.epoch && this.outReason',
    'this.hasEntered && this.isCurrent && this.outReason',
  ),
  {
    // The engine settles in order, so that the epoch is durable only after older writes: both have to go.
    name: 'confirmed-before-older-writes',
    rule: 'a member confirms once what it accepted under older epochs is durable',
    edits: [
      {
        file: `${REPLICA}/replica.ts`,
        from: 'state.epoch === epoch && state.olderWritesOpen === 0;',
        to: 'state.epoch === epoch;',
      },
      {
        file: `${REPLICA}/partition-state.ts`,
        from: 'this.hasEntered && this.isCurrent && this.durable.epoch === this.epoch && this.outReason',
        to: 'this.hasEntered && this.isCurrent && this.outReason',
      },
    ],
  },
  {
    ...mutant(
      'late-stream',
      'what was sent under an older epoch is refused, by who left as well',
      `${REPLICA}/gate.ts`,
      'if (partition.epoch !== request.epoch || !partition.isServing) return undefined;',
      "const isStream = 'origin' in request.body && request.body.origin === 'exchange';\n    if (!isStream && (partition.epoch !== request.epoch || !partition.isServing)) return undefined;",
    ),
    test: 'store/replication/replica/enter.test.ts',
  },
];

/** How a member comes and goes. */
const ENTRY: readonly Mutant[] = [
  mutant(
    'entered-without-emptying',
    'a member empties the partition before it enters',
    `${REPLICA}/replica.ts`,
    'const isEmptied = await emptier.empty(state, isDue);',
    'const isEmptied = emptier !== undefined && isDue();',
  ),
  {
    name: 'emptied-twice',
    rule: 'a member empties a partition once in a session',
    edits: [
      {
        file: `${REPLICA}/replica.ts`,
        from: 'if (state.isCurrent && !state.isOwner) this.#leave(state);',
        to: 'if (state.isCurrent && (!state.isOwner || state.arrival !== undefined)) this.#leave(state);',
      },
      {
        file: `${REPLICA}/emptier.ts`,
        from: 'const isDue = (): boolean => !partition.isOwner;',
        to: 'const isDue = (): boolean => !partition.isOwner || partition.arrival !== undefined;',
      },
      {
        file: `${REPLICA}/emptier.ts`,
        from: 'if (end === true) this.#left.add(partition);',
        to: 'if (end === true && !partition.isOwner) this.#left.add(partition);',
      },
    ],
  },
  mutant(
    'any-session-counts',
    'a member has entered by the session of this move, not by an earlier one',
    `${REPLICA}/partition-state.ts`,
    'this.arrival === undefined || this.durable.session === this.arrival);\n  }\n\n  /** Writes',
    'this.arrival === undefined || this.durable.session > 0);\n  }\n\n  /** Writes',
  ),
  mutant(
    'late-deletion',
    'a deletion ends, or is dropped, before its member enters again',
    `${REPLICA}/emptier.ts`,
    'const end = await this.empty(partition, isDue).catch(',
    'await sleep(this.#deps.clock, 1000, this.#deps.signal);\n      const end = await this.empty(partition, () => true).catch(',
  ),
  mutant(
    'watermark-not-inherited',
    'a member enters with the highest watermark of those that it comes to',
    `${REPLICA}/partition-state.ts`,
    '    this.wantWatermark(watermark);\n    this.wantFloor(floor);\n    this.#sessionWanted',
    '    this.wantFloor(maxVersion(watermark, floor));\n    this.#sessionWanted',
  ),
  mutant(
    'floor-not-inherited',
    'a member enters with the highest floor of those that it comes to',
    `${REPLICA}/partition-state.ts`,
    '    this.wantFloor(floor);\n    this.#sessionWanted',
    '    if (floor === undefined) this.wantFloor(floor);\n    this.#sessionWanted',
  ),
  mutant(
    'synced-before-stored',
    'a member has synchronised once it holds durably what the source held',
    'store/replication/moves/synchronise.ts',
    '  await queue.drain();',
    '  void queue.drain();',
  ),
  {
    name: 'round-while-moving',
    rule: 'a round compares a set that is still',
    edits: [
      {
        file: 'store/replication/exchange/answer.ts',
        from: "if (this.#deps.routing.viewOf(partition)?.sets.type !== 'still')",
        to: 'if (this.#deps.routing.viewOf(partition)?.sets.type === undefined)',
      },
      {
        file: 'store/replication/exchange/rounds.ts',
        from: "if (owned === undefined || view?.sets.type !== 'still') return;",
        to: 'if (owned === undefined || view === undefined) return;',
      },
      {
        file: 'store/replication/exchange/rounds.ts',
        from: 'if (!isFirst && !view.sets.set.every(',
        to: "if (!isFirst && view.sets.type === 'still' && !view.sets.set.every(",
      },
      {
        file: 'store/replication/exchange/run-round.ts',
        from: "if (view.sets.type !== 'still') throw new RoundEnd('void', 'the partition is moving');",
        to: "if (view.sets.type !== 'still') return { epoch: view.epoch, members: view.sets.from };",
      },
    ],
  },
];

/** Pages of the bulk whose keys nobody looks up (`store-fresh-page.ts`). */
const PAGES: readonly Mutant[] = [
  mutant(
    'page-unknown-to-writers',
    'who asks for a key of a page that is under way knows of the page',
    `${REPLICA}/key-table.ts`,
    '    partition.page?.take(state);\n',
    '',
  ),
  mutant(
    'page-over-a-write',
    'a page is stored without a look at its keys only where nothing but pages was written',
    `${REPLICA}/partition-state.ts`,
    '    this.#issued += 1;\n    this.pagesEnd = undefined;',
    '    this.#issued += 1;',
  ),
  mutant(
    'page-unknown-to-a-tree',
    'a tree whose building begins while a page is under way counts each of its records once',
    `${REPLICA}/tree-builder.ts`,
    '    partition.page?.takeAll();\n',
    '',
  ),
].map((one) => ({ ...one, test: `${REPLICA}/store-fresh-page.test.ts` }));

/** What a member does that leaves no harm in the data. */
const MANNERS: readonly Mutant[] = [
  mutant(
    'stop-waits-for-others',
    'who is told to stop waits for no answer of others',
    'store/node/replicated-service.ts',
    '      links.stop();\n      coordinator.stop();\n      signals.stop();\n      await Promise.all(background);\n',
    '      await Promise.all(background);\n      links.stop();\n      coordinator.stop();\n      signals.stop();\n',
  ),
];

/** Rules of partitions that move (docs/moves.md). */
export const MOVE_MUTANTS: readonly Mutant[] = [
  ...STAGES,
  ...QUORUMS,
  ...FENCES,
  ...ENTRY,
  ...PAGES,
  ...MANNERS,
];
