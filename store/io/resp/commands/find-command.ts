import { COMMAND_SPECS, type CommandSpec } from '../../../core/resp/command-spec.ts';
import { clientCommands } from './client-commands.ts';
import { clusterCommands } from './cluster-commands.ts';
import type { Command, Handlers } from './command.ts';
import { commandCommands } from './command-commands.ts';
import { connectionCommands } from './connection-commands.ts';
import { expiryCommands } from './expiry-commands.ts';
import { kvCommands } from './kv-commands.ts';
import { readCommands } from './read-commands.ts';
import { scanCommands } from './scan-commands.ts';
import { serverCommands } from './server-commands.ts';
import { writeCommands } from './write-commands.ts';

const HANDLERS: Handlers = {
  ...connectionCommands,
  ...clientCommands,
  ...commandCommands,
  ...serverCommands,
  ...readCommands,
  ...writeCommands,
  ...expiryCommands,
  ...kvCommands,
  ...scanCommands,
  ...clusterCommands,
};

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [...COMMAND_SPECS.values()].map((spec) => [spec.name, { spec, handle: handlerOf(spec) }]),
);

/** By its name in lower case. */
export function findCommand(name: string): Command | undefined {
  return COMMANDS.get(name);
}

function handlerOf({ name }: CommandSpec): Command['handle'] {
  const handle = HANDLERS[name];
  if (handle === undefined) throw new Error(`the command ${name} has no handler`);
  return handle;
}
