import type { ApplyOutcome, TopologyRefusalCode } from './command.ts';
import { heldBack } from './shares.ts';
import { type TopologyState, toEpoch } from './types.ts';

/** The three outcomes of a command. Only `applied` raises the epoch, and by one: nothing else makes a new state. */

/** What a command changes; the epoch is not among it. */
export type TopologyChange = Partial<Omit<TopologyState, 'epoch' | 'clusterId'>>;

export function applied(state: TopologyState, change: TopologyChange, subject: number): ApplyOutcome {
  const epoch = toEpoch(state.epoch + 1);
  const next = { ...state, ...change, epoch };
  return { type: 'applied', state: { ...next, operations: heldBack(state, next) }, subject };
}

export function unchanged(state: TopologyState, subject: number): ApplyOutcome {
  return { type: 'unchanged', state, subject };
}

export function refused(state: TopologyState, code: TopologyRefusalCode, message: string): ApplyOutcome {
  return { type: 'refused', state, refusal: { code, message } };
}
