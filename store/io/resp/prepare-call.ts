import { printable } from '../../core/resp/arguments.ts';
import { fitsArity, keyPlaces, NEEDS_LINEARIZABLE } from '../../core/resp/command-spec.ts';
import type { Reply } from '../../core/resp/reply.ts';
import type { Request } from '../../core/resp/request-reader.ts';
import type { Call } from './call.ts';
import { CommandError, needsLinearizable, overloaded, wrongArity } from './command-error.ts';
import { NO_COMMAND } from './commands/command.ts';
import { refuseInTransaction } from './refused-transaction.ts';
import { requireAccess } from './resp-access.ts';
import type { RespContext } from './resp-context.ts';

/** Commands that look at whatever keys there are, and the one that changes where the next ones look. */
const ALONE: ReadonlySet<string> = new Set(['scan', 'keys', 'dbsize', 'randomkey', 'kv.namespace']);
const SHOWN_BYTES_MAX = 128;

/** Finds out what the call touches, or why it is refused: what that takes is done before it has to wait for anything. */
export function prepareCall(call: Call, name: string): Reply | undefined {
  try {
    const { command, context, session, args } = call;
    call.bytes = bytesOf(args);
    requireAccess(context, session, command.spec);
    refuseInTransaction(session, name, call.startedMs);
    if (command === NO_COMMAND) throw new CommandError(whyNot(name, args));
    if (!fitsArity(command.spec, args.length)) throw new CommandError(wrongArity(name));
    if (command.spec.keys[0] === 0) {
      call.isAlone = ALONE.has(name);
      return undefined;
    }
    requireRoom(context);
    takeKeys(call);
    return context.routing.look(session, call.argument(command.spec.keys[0]), call.startedMs);
  } catch (error) {
    if (error instanceof CommandError) return error.reply;
    throw error;
  }
}

function bytesOf(args: Request): number {
  let bytes = 0;
  for (const argument of args) bytes += argument.length;
  return bytes;
}

function requireRoom(context: RespContext): void {
  const { inFlight, options } = context;
  if (inFlight.bytes > options.inFlightBytesMax) throw new CommandError(overloaded(context));
}

function takeKeys(call: Call): void {
  const { spec } = call.command;
  const { keyBytesMax } = call.context.options;
  call.isWrite = spec.needs === 'write';
  const places = keyPlaces(spec, call.args.length);
  for (const place of places) {
    const key = call.args[place];
    if (key === undefined) throw new CommandError(wrongArity(spec.name));
    if (key.length === 0)
      throw new CommandError('ERR KEY_EMPTY the key is empty; use one of at least one byte');
    if (key.length > keyBytesMax)
      throw new CommandError(
        `ERR KEY_TOO_LONG the key has ${key.length} bytes; at most ${keyBytesMax} are allowed (limits.keyBytesMax)`,
      );
  }
  call.keyPlaces = places;
}

function whyNot(name: string, args: Request): string {
  if (NEEDS_LINEARIZABLE.has(name)) return needsLinearizable(name.toUpperCase());
  const shown = args.slice(1).reduce((text, argument) => {
    const room = SHOWN_BYTES_MAX - text.length;
    return room <= 0 ? text : `${text}'${printable(argument, room)}' `;
  }, '');
  const who = printable(args[0] as Uint8Array, SHOWN_BYTES_MAX);
  return `ERR unknown command '${who}', with args beginning with: ${shown}`;
}
