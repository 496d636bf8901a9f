import type { Level } from '../../../core/quorum/quorum-sizes.ts';
import { lowerName, wholeNumber } from '../../../core/resp/arguments.ts';
import { bulk, NIL, OK } from '../../../core/resp/reply.ts';
import { formatVersion } from '../../../core/version/version.ts';
import type { RequestOptions } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';
import { CommandError, SYNTAX_ERROR } from '../command-error.ts';
import type { Handlers } from './command.ts';
import { readOne } from './read-commands.ts';
import { expiryOf } from './set-options.ts';
import { checkedWrite } from './write-commands.ts';

/** What Redis has no words for. */
export const kvCommands: Handlers = {
  'kv.namespace': chooseNamespace,
  'kv.get': getAtLevel,
  'kv.set': setAtLevel,
  'kv.version': (call) =>
    readOne(call, (record) => (record === undefined ? NIL : bulk(formatVersion(record.version)))),
};

const NAMESPACE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A name that this node does not know yet may have been made at another one: then a read of it brings this one up to date. */
function chooseNamespace(call: Call): void {
  const { session, args } = call;
  if (args.length > 2) throw new CommandError(SYNTAX_ERROR);
  if (args.length === 1) call.answer(bulk(session.namespace));
  else choose(call, Buffer.from(call.argument(1)).toString('latin1'));
}

function choose(call: Call, name: string): void {
  const { context, session } = call;
  if (!NAMESPACE_NAME.test(name))
    throw new CommandError(
      'ERR BAD_NAMESPACE_NAME use a DNS label: lower-case letters, digits and inner hyphens, at most 63 characters',
    );
  const take = () => {
    session.namespace = name;
    return OK;
  };
  if (context.store.getNamespace(name) !== undefined) call.answer(take());
  else call.after(context.store.scan(name, { limit: 1, keysOnly: true }), take);
}

type Asked = { options: RequestOptions; expiresAtMs: number | undefined };

function getAtLevel(call: Call): void {
  const { context, session } = call;
  const { options } = optionsOf(call, 2, ['r', 'timeout']);
  call.after(context.store.get(session.namespace, call.argument(1), options), (record) =>
    record === undefined ? NIL : bulk(record.value),
  );
}

function setAtLevel(call: Call): void {
  const { context, session } = call;
  const { options, expiresAtMs } = optionsOf(call, 3, ['w', 'ttl', 'timeout']);
  const write = checkedWrite(call, call.argument(2), expiresAtMs);
  call.after(context.store.put(session.namespace, call.argument(1), write, options), ({ version }) =>
    bulk(formatVersion(version)),
  );
}

/** Names and values in turn, from `from` on; each name at most once. */
function optionsOf(call: Call, from: number, allowed: readonly string[]): Asked {
  const asked: Asked = { options: {}, expiresAtMs: undefined };
  const seen = new Set<string>();
  for (let at = from; at < call.args.length; at += 2) {
    const name = lowerName(call.argument(at));
    const value = call.args[at + 1];
    if (!allowed.includes(name) || seen.has(name) || value === undefined)
      throw new CommandError(SYNTAX_ERROR);
    seen.add(name);
    takeOption(call, name, value, asked);
  }
  return asked;
}

function takeOption(call: Call, name: string, value: Uint8Array, asked: Asked): void {
  if (name === 'ttl') asked.expiresAtMs = expiryOf(call, value, { ms: 1000, isAbsolute: false });
  else if (name === 'timeout') asked.options = { ...asked.options, timeoutMs: timeoutOf(call, value) };
  else asked.options = { ...asked.options, [name]: levelOf(name, value) };
}

function levelOf(name: string, value: Uint8Array): Level {
  const level = lowerName(value);
  if (level === '1') return 1;
  if (level === 'quorum' || level === 'all') return level;
  throw new CommandError(`ERR BAD_PARAMETER ${name.toUpperCase()} is one of 1, quorum and all`);
}

function timeoutOf({ context }: Call, value: Uint8Array): number {
  const { askedTimeoutMsMax } = context.options;
  const timeoutMs = wholeNumber(value);
  if (timeoutMs !== undefined && timeoutMs >= 1 && timeoutMs <= askedTimeoutMsMax) return timeoutMs;
  throw new CommandError(
    `ERR BAD_PARAMETER TIMEOUT is 1..${askedTimeoutMsMax} milliseconds (replication.requestTimeoutMsMax)`,
  );
}
