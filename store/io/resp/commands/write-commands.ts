import { integer, OK } from '../../../core/resp/reply.ts';
import type { PutWrite } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';
import { CommandError, wrongArity } from '../command-error.ts';
import type { Handlers } from './command.ts';
import { existing, getsOf } from './read-commands.ts';
import { runSlices } from './run-operations.ts';
import { expiryOf, expiryOfSet } from './set-options.ts';

export const writeCommands: Handlers = {
  set: (call) => put(call, call.argument(2), expiryOfSet(call)),
  setex: (call) =>
    put(call, call.argument(3), expiryOf(call, call.argument(2), { ms: 1000, isAbsolute: false })),
  psetex: (call) =>
    put(call, call.argument(3), expiryOf(call, call.argument(2), { ms: 1, isAbsolute: false })),
  mset,
  del,
  unlink: del,
};

function put(call: Call, value: Uint8Array, expiresAtMs: number | undefined): void {
  const { context, session } = call;
  const write = checkedWrite(call, value, expiresAtMs);
  call.after(context.store.put(session.namespace, call.argument(1), write), () => OK);
}

/** Throws where the value is too large. */
export function checkedWrite(call: Call, value: Uint8Array, expiresAtMs: number | undefined): PutWrite {
  const { valueBytesMax } = call.context.options;
  if (value.length > valueBytesMax)
    throw new CommandError(
      `ERR VALUE_TOO_LARGE the value has ${value.length} bytes; at most ${valueBytesMax} are allowed (limits.valueBytesMax)`,
    );
  return expiresAtMs === undefined ? { value } : { value, expiresAtMs };
}

type Pair = { readonly key: Uint8Array; readonly write: PutWrite };

/** A key that is named twice is written twice, in that order. */
function mset(call: Call): void {
  if (call.args.length % 2 === 0) throw new CommandError(wrongArity('mset'));
  const items: Pair[] = [];
  for (let at = 1; at < call.args.length; at += 2)
    items.push({ key: call.argument(at), write: checkedWrite(call, call.argument(at + 1), undefined) });
  runSlices(call, {
    items,
    stepsOf: (pairs) => [pairs.map(({ key, write }) => ({ type: 'put', key, ...write }))],
    take() {},
    reply: () => OK,
  });
}

/** Reads keys, and deletes them if all could be read: the count is of those that were seen, and between the two others may write. */
function del(call: Call): void {
  let deleted = 0;
  runSlices(call, {
    items: withoutRepeats(call),
    stepsOf: (keys) => [getsOf(keys), keys.map((key) => ({ type: 'delete', key }) as const)],
    take(outcomes) {
      deleted += existing(outcomes);
    },
    reply: () => integer(deleted),
  });
}

/** Of a key that is named twice only the first counts. */
function withoutRepeats(call: Call): readonly Uint8Array[] {
  if (call.args.length === 2) return call.args.slice(1);
  const byName = new Map(call.keys.map((name, at) => [name, call.argument(at + 1)]));
  return [...byName.values()];
}
