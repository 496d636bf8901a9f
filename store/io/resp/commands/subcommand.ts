import { lowerName, printable } from '../../../core/resp/arguments.ts';
import type { Call } from '../call.ts';
import { CommandError, wrongArity } from '../command-error.ts';
import type { Handler } from './command.ts';

/** By their names in lower case; the arity counts the command and the subcommand, and is a least one where it is negative. */
export type Subcommands = Readonly<Record<string, { readonly arity: number; readonly handle: Handler }>>;

export function runSubcommand(call: Call, subcommands: Subcommands): void {
  const { name } = call.command.spec;
  const asked = lowerName(call.argument(1));
  const found = Object.hasOwn(subcommands, asked) ? subcommands[asked] : undefined;
  if (found === undefined)
    throw new CommandError(
      `ERR unknown subcommand '${printable(call.argument(1), 64)}'. Try ${name.toUpperCase()} HELP.`,
    );
  const { length } = call.args;
  const fits = found.arity >= 0 ? length === found.arity : length >= -found.arity;
  if (!fits) throw new CommandError(wrongArity(`${name}|${asked}`));
  found.handle(call);
}
