import { lowerName } from '../../../core/resp/arguments.ts';
import { COMMAND_SPECS, type CommandSpec, fitsArity, keyPlaces } from '../../../core/resp/command-spec.ts';
import { array, bulk, EMPTY, integer, map, NIL, type Reply } from '../../../core/resp/reply.ts';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';
import type { Handlers } from './command.ts';
import { runSubcommand, type Subcommands } from './subcommand.ts';

const SUBCOMMANDS: Subcommands = {
  count: { arity: 2, handle: (call) => call.answer(integer(COMMAND_SPECS.size)) },
  list: {
    arity: 2,
    handle: (call) => call.answer(array([...COMMAND_SPECS.keys()].map((name) => bulk(name)))),
  },
  info: { arity: -2, handle: (call) => call.answer(array(asked(call).map(infoOf))) },
  docs: { arity: -2, handle: docs },
  getkeys: { arity: -4, handle: getKeys },
  help: { arity: 2, handle: (call) => call.answer(array([bulk(HELP)])) },
};

const HELP = 'COMMAND [COUNT | LIST | INFO [<name> ...] | DOCS [<name> ...] | GETKEYS <full-command> | HELP]';

export const commandCommands: Handlers = {
  command(call) {
    if (call.args.length === 1) call.answer(array([...COMMAND_SPECS.values()].map(infoOf)));
    else runSubcommand(call, SUBCOMMANDS);
  },
};

/** Those that are named, undefined where there is none of the name; all where none is named. */
function asked(call: Call): (CommandSpec | undefined)[] {
  if (call.args.length === 2) return [...COMMAND_SPECS.values()];
  return call.args.slice(2).map((name) => COMMAND_SPECS.get(lowerName(name)));
}

/** Ten elements, as since Redis 7; what begins after the place of the keys is left empty but for the categories. */
function infoOf(spec: CommandSpec | undefined): Reply {
  if (spec === undefined) return NIL;
  const { name, arity, flags, keys, group } = spec;
  const kind = flags.includes('write') ? ['@write'] : flags.includes('readonly') ? ['@read'] : [];
  const categories = [...kind, `@${group === 'generic' ? 'keyspace' : group}`];
  return array([
    bulk(name),
    integer(arity),
    { type: 'set', items: flags.map((flag) => ({ type: 'simple', text: flag })) },
    ...keys.map(integer),
    { type: 'set', items: categories.map((each) => ({ type: 'simple', text: each })) },
    EMPTY,
    EMPTY,
    EMPTY,
  ]);
}

function docs(call: Call): void {
  const entries = asked(call).flatMap((spec) =>
    spec === undefined ? [] : [[spec.name, docsOf(spec)] as const],
  );
  call.answer(map(entries));
}

function docsOf({ summary, since, group }: CommandSpec): Reply {
  const fields: (readonly [string, Reply])[] = [['summary', bulk(summary)]];
  if (since !== '') fields.push(['since', bulk(since)]);
  return map([...fields, ['group', bulk(group)]]);
}

function getKeys(call: Call): void {
  const args = call.args.slice(2);
  const spec = COMMAND_SPECS.get(lowerName(args[0] as Uint8Array));
  if (spec === undefined) throw new CommandError('ERR Invalid command specified');
  if (!fitsArity(spec, args.length))
    throw new CommandError('ERR Invalid number of arguments specified for command');
  const places = keyPlaces(spec, args.length);
  if (places.length === 0) throw new CommandError('ERR The command has no key arguments');
  call.answer(array(places.map((place) => bulk(args[place] as Uint8Array))));
}
