import { lowerName, printable } from '../../../core/resp/arguments.ts';
import { array, bulk, integer, NIL, OK } from '../../../core/resp/reply.ts';
import type { Call } from '../call.ts';
import { CommandError, SYNTAX_ERROR } from '../command-error.ts';
import type { SessionView } from '../resp-context.ts';
import { nameOf } from './client-name.ts';
import type { Handlers } from './command.ts';
import { runSubcommand, type Subcommands } from './subcommand.ts';

const SUBCOMMANDS: Subcommands = {
  id: { arity: 2, handle: (call) => call.answer(integer(call.session.id)) },
  getname: {
    arity: 2,
    handle: (call) => call.answer(call.session.name === '' ? NIL : bulk(call.session.name)),
  },
  setname: { arity: 3, handle: setName },
  setinfo: { arity: 4, handle: setInfo },
  info: { arity: 2, handle: (call) => call.answer(text(describe(call))) },
  list: { arity: -2, handle: list },
  reply: { arity: 3, handle: reply },
  'no-evict': { arity: 3, handle: onOrOff },
  'no-touch': { arity: 3, handle: onOrOff },
  help: { arity: 2, handle: (call) => call.answer(array(HELP.map((line) => bulk(line)))) },
};

const HELP = [
  'CLIENT <subcommand> [<arg> ...]. Subcommands are:',
  'ID, GETNAME, SETNAME <name>, SETINFO <LIB-NAME|LIB-VER> <text>, INFO, LIST [TYPE normal] [ID <id> ...],',
  'REPLY <ON|OFF|SKIP>, NO-EVICT <ON|OFF>, NO-TOUCH <ON|OFF>, HELP',
];

export const clientCommands: Handlers = {
  client: (call) => runSubcommand(call, SUBCOMMANDS),
};

function text(lines: string) {
  return { type: 'verbatim', text: lines } as const;
}

function describe({ context, session }: Call): string {
  return `${session.describe(context.clock.nowMs())}\n`;
}

function setName(call: Call): void {
  call.session.name = nameOf(call.argument(2), 'Client names');
  call.answer(OK);
}

function setInfo(call: Call): void {
  const attribute = lowerName(call.argument(2));
  if (attribute === 'lib-name') call.session.libraryName = nameOf(call.argument(3), 'lib-name');
  else if (attribute === 'lib-ver') call.session.libraryVersion = nameOf(call.argument(3), 'lib-ver');
  else throw new CommandError(`ERR Unrecognized option '${printable(call.argument(2), 64)}'`);
  call.answer(OK);
}

function list(call: Call): void {
  const nowMs = call.context.clock.nowMs();
  call.answer(
    text(
      listed(call)
        .map((each) => `${each.describe(nowMs)}\n`)
        .join(''),
    ),
  );
}

function listed({ args, context }: Call): readonly SessionView[] {
  const all = [...context.sessions.values()];
  const option = args[2] === undefined ? undefined : lowerName(args[2]);
  if (option === undefined) return all;
  if (option === 'type' && args.length === 4) return lowerName(args[3] as Uint8Array) === 'normal' ? all : [];
  if (option !== 'id' || args.length < 4) throw new CommandError(SYNTAX_ERROR);
  const wanted = new Set(args.slice(3).map((each) => Buffer.from(each).toString('latin1')));
  return [...context.sessions].flatMap(([id, each]) => (wanted.has(String(id)) ? [each] : []));
}

function reply(call: Call): void {
  const { session } = call;
  const mode = lowerName(call.argument(2));
  if (mode !== 'on' && mode !== 'off' && mode !== 'skip') throw new CommandError(SYNTAX_ERROR);
  // Where nothing is answered there is nothing to skip.
  if (mode !== 'skip' || session.replies === 'on') session.replies = mode;
  call.isSilent = mode !== 'on';
  call.answer(OK);
}

/** Accepted: no client is ever evicted here, and no key is touched by a read. */
function onOrOff(call: Call): void {
  const value = lowerName(call.argument(2));
  if (value !== 'on' && value !== 'off') throw new CommandError(SYNTAX_ERROR);
  call.answer(OK);
}
