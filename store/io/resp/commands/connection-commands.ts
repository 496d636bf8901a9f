import { lowerName, printable, wholeNumber } from '../../../core/resp/arguments.ts';
import { bulk, EMPTY, integer, map, OK, type Reply } from '../../../core/resp/reply.ts';
import type { Call } from '../call.ts';
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR, wrongArity } from '../command-error.ts';
import { REDIS_VERSION } from '../redis-version.ts';
import { authenticate, isKnown } from '../resp-access.ts';
import { nameOf } from './client-name.ts';
import type { Handlers } from './command.ts';

export const connectionCommands: Handlers = {
  ping(call) {
    if (call.args.length > 2) throw new CommandError(wrongArity('ping'));
    call.answer(call.args.length === 2 ? bulk(call.argument(1)) : PONG);
  },
  echo: (call) => call.answer(bulk(call.argument(1))),
  quit(call) {
    call.closesConnection = true;
    call.answer(OK);
  },
  reset(call) {
    call.session.reset();
    call.answer(RESET);
  },
  select(call) {
    const index = wholeNumber(call.argument(1));
    if (index === undefined) throw new CommandError(NOT_AN_INTEGER);
    if (index !== 0)
      throw new CommandError(
        'ERR DB index is out of range: there is database 0 only; KV.NAMESPACE chooses a namespace',
      );
    call.answer(OK);
  },
  readonly: (call) => call.answer(OK),
  readwrite: (call) => call.answer(OK),
  auth,
  hello,
};

const PONG: Reply = { type: 'simple', text: 'PONG' };
const RESET: Reply = { type: 'simple', text: 'RESET' };

function auth(call: Call): void {
  const { args, context, session } = call;
  if (args.length > 3) throw new CommandError(SYNTAX_ERROR);
  const user = args.length === 3 ? textOf(call.argument(1)) : undefined;
  authenticate(context, session, user, call.argument(args.length - 1));
  call.answer(OK);
}

type Greeting = { protocol: 2 | 3 | undefined; name: string | undefined };

function hello(call: Call): void {
  const { args, context, session } = call;
  const greeting: Greeting = { protocol: protocolOf(args[1]), name: undefined };
  for (let at = 2; at < args.length; ) at = takeOption(call, at, greeting);
  if (!isKnown(context, session))
    throw new CommandError(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  if (greeting.name !== undefined) session.name = greeting.name;
  if (greeting.protocol !== undefined) session.protocol = greeting.protocol;
  call.answerIn(session.protocol, helloReply(session.protocol, session.id));
}

function protocolOf(argument: Uint8Array | undefined): Greeting['protocol'] {
  if (argument === undefined) return undefined;
  const version = wholeNumber(argument);
  if (version === undefined) throw new CommandError('ERR Protocol version is not an integer or out of range');
  if (version !== 2 && version !== 3) throw new CommandError('NOPROTO unsupported protocol version');
  return version;
}

/** Returns where the next option begins. */
function takeOption(call: Call, at: number, greeting: Greeting): number {
  const { args, context, session } = call;
  const option = lowerName(call.argument(at));
  if (option === 'auth' && at + 2 < args.length) {
    authenticate(context, session, textOf(call.argument(at + 1)), call.argument(at + 2));
    return at + 3;
  }
  if (option === 'setname' && at + 1 < args.length) {
    greeting.name = nameOf(call.argument(at + 1), 'Client names');
    return at + 2;
  }
  throw new CommandError(`ERR Syntax error in HELLO option '${printable(call.argument(at), 64)}'`);
}

function helloReply(protocol: 2 | 3, id: number): Reply {
  return map([
    ['server', bulk('redis')],
    ['version', bulk(REDIS_VERSION)],
    ['proto', integer(protocol)],
    ['id', integer(id)],
    ['mode', bulk('cluster')],
    ['role', bulk('master')],
    ['modules', EMPTY],
  ]);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
