import { wholeNumber } from '../../../core/resp/arguments.ts';
import { array, bulk, integer, NIL, type Reply } from '../../../core/resp/reply.ts';
import type { BatchOperation, BatchOutcome, LiveRecord } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';
import { CommandError, NOT_AN_INTEGER } from '../command-error.ts';
import type { Handlers } from './command.ts';
import { runSlices, valueBytesOf } from './run-operations.ts';

export const readCommands: Handlers = {
  get: (call) => readOne(call, valueReply),
  strlen: (call) => readOne(call, (record) => integer(record?.value.length ?? 0)),
  type: (call) => readOne(call, (record) => (record === undefined ? NONE : STRING)),
  getrange: getRange,
  substr: getRange,
  mget,
  exists: countExisting,
  touch: countExisting,
};

const NONE: Reply = { type: 'simple', text: 'none' };
const STRING: Reply = { type: 'simple', text: 'string' };

/** Reads the only key of the call. */
export function readOne(call: Call, toReply: (record: LiveRecord | undefined) => Reply): void {
  const { context, session } = call;
  call.after(context.store.get(session.namespace, call.argument(1)), toReply);
}

export function recordOf(outcome: BatchOutcome): LiveRecord | undefined {
  return outcome.type === 'get' ? outcome.record : undefined;
}

function valueReply(record: LiveRecord | undefined): Reply {
  return record === undefined ? NIL : bulk(record.value);
}

/** The reads of keys. */
export function getsOf(keys: readonly Uint8Array[]): BatchOperation[] {
  return keys.map((key) => ({ type: 'get', key }));
}

function mget(call: Call): void {
  const values: Reply[] = [];
  const { replyBytesMax } = call.context.options;
  let bytes = 0;
  runSlices(call, {
    items: call.args.slice(1),
    stepsOf: (keys) => [getsOf(keys)],
    take(outcomes) {
      for (const each of outcomes) {
        bytes += valueBytesOf(each);
        values.push(valueReply(recordOf(each)));
      }
      if (bytes > replyBytesMax)
        throw new CommandError(
          `ERR REPLY_TOO_LARGE the values of these keys have more than ${replyBytesMax} bytes together; ask for fewer keys at once`,
        );
    },
    reply: () => array(values),
  });
}

/** A key that is named twice counts twice, as in Redis. */
function countExisting(call: Call): void {
  let found = 0;
  runSlices(call, {
    items: call.args.slice(1),
    stepsOf: (keys) => [getsOf(keys)],
    take(outcomes) {
      found += existing(outcomes);
    },
    reply: () => integer(found),
  });
}

export function existing(outcomes: readonly BatchOutcome[]): number {
  return outcomes.filter((each) => recordOf(each) !== undefined).length;
}

function getRange(call: Call): void {
  const start = wholeNumber(call.argument(2));
  const end = wholeNumber(call.argument(3));
  if (start === undefined || end === undefined) throw new CommandError(NOT_AN_INTEGER);
  readOne(call, (record) => bulk(rangeOf(record?.value ?? NOTHING, start, end)));
}

const NOTHING = new Uint8Array();

/** Both ends are included, and count from the end of the value where they are negative. */
function rangeOf(value: Uint8Array, start: number, end: number): Uint8Array {
  const from = Math.max(0, start < 0 ? value.length + start : start);
  const to = Math.min(value.length - 1, end < 0 ? value.length + end : end);
  return from > to ? NOTHING : value.subarray(from, to + 1);
}
