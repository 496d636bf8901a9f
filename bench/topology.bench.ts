import { parseArgs } from 'node:util';
import { stepsOf } from '../store/cluster/move-driver.ts';
import { dutiesOf } from '../store/core/moves/duties.ts';
import { planMoves } from '../store/core/moves/plan-moves.ts';
import { topologyOf } from '../store/core/moves/test-moves.ts';
import { toIndex, toTerm } from '../store/core/raft/types.ts';
import { planPlacement } from '../store/core/ring/placement.ts';
import { applyCommand } from '../store/core/topology/apply.ts';
import { encodeCommand, encodeState } from '../store/core/topology/codec.ts';
import type { TopologyCommand } from '../store/core/topology/command.ts';
import { type MoveAt, type TopologyState, toEpoch } from '../store/core/topology/types.ts';
import { encodeBody } from '../store/peer/codec.ts';
import { HEADER_BYTES } from '../store/peer/frame.ts';
import { type Figure, median, report, round } from './lib/report.ts';

/**
 * `./dev.sh bench topology`: what a large cluster's topology costs: the time to plan a rebalance after one more member came, the
 * size of all of it, and what each node is sent of the changes of that rebalance, step by step as the leader takes them.
 */
const { values: flags } = parseArgs({
  options: {
    partitions: { type: 'string', default: '4096' },
    members: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
  },
});
const partitions = Number(flags.partitions);
const members = Number(flags.members);
const REPLICATION_FACTOR = 3;
const EVERYTHING = { movesMax: partitions, enteringPerMemberMax: partitions };
const LIMITS = { movesMax: 64, enteringPerMemberMax: 16 };
const facts = {
  isUp: () => true,
  isReplaced: () => false,
  nameOf: (member: number) => `kvorum-${member}`,
};

/** All members but the last share the partitions evenly. */
function beforeTheLast(): TopologyState {
  const state = topologyOf({ members, set: [1, 2, 3], partitions });
  const placed = new Map(Array.from({ length: members - 1 }, (_, i) => [i + 1, { weight: 100, zone: '' }]));
  const options = { partitions, replicationFactor: REPLICATION_FACTOR };
  const { replicaSets } = planPlacement(options, { members: placed, current: [] });
  return {
    ...state,
    partitions: replicaSets.map((replicas) => ({ replicas, epoch: toEpoch(1) })),
  };
}

type Sent = { readonly type: string; readonly bytes: number; readonly steps: number };

/** The whole rebalance, as commands; each is one entry for each node. */
function rebalance(start: TopologyState): { readonly sent: readonly Sent[]; readonly end: TopologyState } {
  let state = start;
  const sent: Sent[] = [];
  const take = (command: TopologyCommand): void => {
    const outcome = applyCommand(state, command);
    if (outcome.type !== 'applied') return;
    const steps = 'moves' in command ? command.moves.length : 1;
    sent.push({ type: command.type, bytes: frameBytes(command), steps });
    state = outcome.state;
  };
  for (let before: TopologyState | undefined; before !== state; ) {
    before = state;
    const moves = planMoves(state, facts, LIMITS);
    if (moves.length > 0) take({ type: 'move-start', replicationFactor: REPLICATION_FACTOR, moves });
    for (const command of confirmations(state)) take(command);
    for (const command of stepsOf(state, facts)) take(command);
  }
  return { sent, end: state };
}

/** What the members say of their own part, each in one command. */
function confirmations(state: TopologyState): readonly TopologyCommand[] {
  const commands: TopologyCommand[] = [];
  const moving = [...state.partitions.entries()].filter(([, { move }]) => move !== undefined);
  for (const member of state.members.keys()) {
    const entered: MoveAt[] = [];
    const confirmed: MoveAt[] = [];
    const synced: (MoveAt & { readonly sources: readonly number[] })[] = [];
    for (const [number, partition] of moving) {
      if (partition.move === undefined) continue;
      const at = { partition: number, session: partition.move.session, epoch: partition.epoch };
      for (const duty of dutiesOf(partition, member)) {
        if (duty.type === 'enter') entered.push(at);
        else if (duty.type === 'confirm') confirmed.push(at);
        else synced.push({ ...at, sources: duty.with });
      }
    }
    if (entered.length > 0) commands.push({ type: 'move-enter', member, moves: entered });
    if (confirmed.length > 0) commands.push({ type: 'move-confirm', member, moves: confirmed });
    if (synced.length > 0) commands.push({ type: 'move-synced', member, moves: synced });
  }
  return commands;
}

/** Of the message by which the leader sends that one entry to a node. */
function frameBytes(command: TopologyCommand): number {
  const [term, index] = [toTerm(7), toIndex(1_000_000)];
  const entry = { term, index: toIndex(index + 1), type: 'command', data: encodeCommand(command) } as const;
  const body = encodeBody({
    type: 'raft',
    message: {
      type: 'append',
      from: 1,
      to: 2,
      term,
      previous: { term, index },
      entries: [entry],
      commit: index,
    },
  });
  return HEADER_BYTES + body.length;
}

function timed(work: () => unknown): number {
  const times = Array.from({ length: Number(flags.rounds) + 1 }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return median(times.slice(1));
}

const state = beforeTheLast();
const planMs = timed(() => planMoves(state, facts, EVERYTHING));
const still = planMoves(state, facts, EVERYTHING);
const wholeBytes = encodeState(state).length;
const { sent, end } = rebalance(state);
const stillMs = timed(() => planMoves(end, facts, EVERYTHING));
const bytes = sent.reduce((sum, one) => sum + one.bytes, 0);
const largest = Math.max(...sent.map((one) => one.bytes));
const steps = sent.reduce((sum, one) => sum + one.steps, 0);
const moves = sent.filter(({ type }) => type === 'move-done').reduce((sum, one) => sum + one.steps, 0);

process.stdout.write(
  `${partitions} partitions, ${members - 1} -> ${members} members, factor ${REPLICATION_FACTOR}\n\n| | |\n| --- | --- |\n` +
    [
      ['time to plan the rebalance', `${round(planMs, 1)} ms, ${still.length} moves`],
      ['time to plan where nothing is to move', `${round(stillMs, 1)} ms`],
      ['the whole topology', `${wholeBytes.toLocaleString('en-US')} B`],
      ['changes of the rebalance', `${sent.length.toLocaleString('en-US')} entries, ${moves} moves`],
      ['sent to each node for an epoch change, mean', `${Math.round(bytes / sent.length)} B`],
      ['the largest of them', `${largest} B`],
      ['for one step of one partition', `${Math.round(bytes / steps)} B`],
      ['for all of the rebalance', `${bytes.toLocaleString('en-US')} B`],
    ]
      .map((row) => `| ${row.join(' | ')} |\n`)
      .join(''),
);
const results: Record<string, Figure> = {
  plan: { value: round(planMs, 1), unit: 'ms' },
  plan_still: { value: round(stillMs, 1), unit: 'ms' },
  topology: { value: wholeBytes, unit: 'B' },
  change_mean: { value: Math.round(bytes / sent.length), unit: 'B' },
  change_largest: { value: largest, unit: 'B' },
  rebalance: { value: bytes, unit: 'B' },
};
report('topology', results, { change_of_topology: round(bytes / sent.length / wholeBytes, 5) });
