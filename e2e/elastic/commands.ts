import type { LoadOptions } from './load.ts';
import type { PhaseFigures } from './phase-stats.ts';

/** What the process of the load is told, and what it answers. */
export type Commands = {
  readonly begin: { readonly ask: LoadOptions; readonly answer: undefined };
  readonly target: { readonly ask: readonly number[]; readonly answer: undefined };
  readonly fill: { readonly ask: undefined; readonly answer: undefined };
  readonly capacity: {
    readonly ask: { readonly connections: number; readonly durationMs: number };
    /** Requests a second. */
    readonly answer: number;
  };
  readonly open: { readonly ask: number; readonly answer: undefined };
  readonly phase: { readonly ask: undefined; readonly answer: PhaseFigures };
  /** The keys that were found as acknowledged. */
  readonly stop: { readonly ask: undefined; readonly answer: undefined };
  readonly check: {
    readonly ask: undefined;
    readonly answer: { readonly keys: number; readonly unknown: number };
  };
};

export type CommandName = keyof Commands;
export type Ask = {
  [N in CommandName]: { readonly id: number; readonly name: N; readonly ask: Commands[N]['ask'] };
}[CommandName];
export type Reply = { readonly id: number; readonly answer?: unknown; readonly error?: string };
