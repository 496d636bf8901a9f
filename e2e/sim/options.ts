import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FAULT_NAMES, isFaultName } from '../../store/sim/world/fault-names.ts';
import { NODES_MAX, type PlanChanges, type PlanPart } from '../../store/sim/world/plan.ts';

export type SimOptions = {
  readonly first: number;
  readonly seeds: number;
  /** Runs only this one, with its trace. */
  readonly seed: number | undefined;
  readonly minutes: number | undefined;
  readonly jobs: number;
  readonly failuresMax: number;
  readonly changes: PlanChanges;
  /** Undefined: none; else those of a group, or whose name has it as a part; empty: all. */
  readonly mutants: string | undefined;
};

/** The short form: what every change has to pass. */
const SEEDS = 2000;

const FLAGS = {
  seeds: { type: 'string' },
  first: { type: 'string' },
  seed: { type: 'string' },
  nodes: { type: 'string' },
  minutes: { type: 'string' },
  duration: { type: 'string' },
  without: { type: 'string' },
  jobs: { type: 'string' },
  failures: { type: 'string' },
  mutants: { type: 'boolean' },
  mutant: { type: 'string' },
} as const;

/** Throws with what is allowed where an option is not. */
export function parseOptions(args: readonly string[]): SimOptions {
  const { values, positionals } = parseArgs({ args: [...args], options: FLAGS, allowPositionals: true });
  const [filter = '', ...others] = positionals;
  if (others.length > 0 || (filter !== '' && values.mutants !== true))
    throw new Error(
      `"${positionals.join(' ')}" is not understood: only --mutants takes a word, a group or a part of the names`,
    );
  const minutes = values.minutes === undefined ? undefined : numberOf('minutes', values.minutes, 0, 100_000);
  return {
    first: whole('first', values.first, 1, 2 ** 40) ?? 1,
    seeds: whole('seeds', values.seeds, 1, 2 ** 32) ?? (minutes === undefined ? SEEDS : 2 ** 32),
    seed: whole('seed', values.seed, 0, 2 ** 40),
    minutes,
    jobs: whole('jobs', values.jobs, 1, 256) ?? availableParallelism(),
    failuresMax: whole('failures', values.failures, 1, 1_000_000) ?? 5,
    changes: {
      nodes: whole('nodes', values.nodes, 1, NODES_MAX),
      durationMs: whole('duration', values.duration, 1, 3_600_000),
      without: partsOf(values.without),
    },
    mutants: values.mutants === true ? filter : values.mutant,
  };
}

function whole(name: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = numberOf(name, text, min, max);
  if (!Number.isInteger(value)) throw new Error(`--${name} ${text}: a whole number is expected`);
  return value;
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max))
    throw new Error(`--${name} ${text}: a number from ${min} to ${max} is expected`);
  return value;
}

function partsOf(text: string | undefined): readonly PlanPart[] {
  const names = text === undefined || text === '' ? [] : text.split(',');
  return names.map((name) => {
    if (name !== 'data' && !isFaultName(name))
      throw new Error(`--without ${name}: a run can do without data, ${FAULT_NAMES.join(', ')}`);
    return name;
  });
}
