import type { CommandSpec } from '../../../core/resp/command-spec.ts';
import type { Call } from '../call.ts';

/** Answers the call, at once or later; throws CommandError where it refuses. Its arguments are as many as the spec says. */
export type Handler = (call: Call) => void;

export type Handlers = Readonly<Record<string, Handler>>;

export type Command = { readonly spec: CommandSpec; readonly handle: Handler };

/** Stands for what is no command; never run. */
export const NO_COMMAND: Command = {
  spec: {
    ...{ name: 'other', arity: -1, flags: [], keys: [0, 0, 0] },
    ...{ needs: 'none', group: 'server', summary: '', since: '' },
  },
  handle() {},
};
