import { lowerName, wholeNumber } from '../../../core/resp/arguments.ts';
import { type Glob, parseGlob } from '../../../core/resp/glob.ts';
import { array, bulk, EMPTY, integer, NIL, type Reply } from '../../../core/resp/reply.ts';
import type { ScanPage, ScanRange } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from '../command-error.ts';
import type { Handlers } from './command.ts';
import { randomKey } from './random-key.ts';
import { sweep } from './sweep.ts';

export const scanCommands: Handlers = {
  scan,
  keys: (call) => call.after(findKeys(call), (found) => array(found.map(bulk))),
  dbsize: (call) => call.after(countKeys(call), integer),
  randomkey: (call) => call.after(randomKey(call), (key) => (key === undefined ? NIL : bulk(key))),
};

const INVALID_CURSOR = 'ERR invalid cursor';
const CURSOR = /^(0|[1-9][0-9]{0,19})$/;
const COUNT_DEFAULT = 10;
const LAST_PAGE: Reply = array([bulk('0'), EMPTY]);

type Options = { glob: Glob | undefined; count: number; isOtherType: boolean };

function scan(call: Call): void {
  const { context, session } = call;
  const after = positionOf(call);
  const { glob, count, isOtherType } = optionsOf(call);
  // Every value is a string: of another type there is nothing.
  if (isOtherType) {
    call.answer(LAST_PAGE);
    return;
  }
  const limit = Math.min(count, context.options.scanCountMax);
  const page = context.store.scan(session.namespace, { ...rangeOf(glob), limit, after });
  call.after(page, (found) => pageReply(call, found, glob));
}

function pageReply(call: Call, { entries, resumeAfter }: ScanPage, glob: Glob | undefined): Reply {
  const { context, session } = call;
  const { namespace } = session;
  const cursor = resumeAfter === undefined ? 0 : context.cursors.issue({ namespace, after: resumeAfter });
  const matching = glob === undefined ? entries : entries.filter(({ key }) => glob.matches(key));
  return array([bulk(String(cursor)), array(matching.map(({ key }) => bulk(key)))]);
}

/** The key behind which the page begins. A place in another namespace is none in this one. */
function positionOf({ context, session, args }: Call): Uint8Array | undefined {
  const text = Buffer.from(args[1] as Uint8Array).toString('latin1');
  if (!CURSOR.test(text)) throw new CommandError(INVALID_CURSOR);
  if (text === '0') return undefined;
  const position = context.cursors.find(Number(text));
  if (position?.namespace === session.namespace) return position.after;
  throw new CommandError(
    `${INVALID_CURSOR}: this node does not know it, since it is of another node or namespace, or too old; begin again with 0`,
  );
}

function optionsOf(call: Call): Options {
  const options: Options = { glob: undefined, count: COUNT_DEFAULT, isOtherType: false };
  for (let at = 2; at < call.args.length; at += 2) {
    const value = call.args[at + 1];
    if (value === undefined) throw new CommandError(SYNTAX_ERROR);
    takeOption(lowerName(call.argument(at)), value, options);
  }
  return options;
}

function takeOption(name: string, value: Uint8Array, options: Options): void {
  switch (name) {
    case 'match':
      options.glob = parseGlob(value);
      return;
    case 'count':
      options.count = wholeNumber(value) ?? fail(NOT_AN_INTEGER);
      if (options.count < 1) fail(SYNTAX_ERROR);
      return;
    case 'type':
      options.isOtherType = lowerName(value) !== 'string';
      return;
    default:
      fail(SYNTAX_ERROR);
  }
}

function fail(text: string): never {
  throw new CommandError(text);
}

function rangeOf(glob: Glob | undefined): ScanRange {
  const prefix = glob === undefined || glob.prefix.length === 0 ? undefined : glob.prefix;
  return { prefix, keysOnly: true };
}

/** Throws where there are more than a reply may hold. */
async function findKeys(call: Call): Promise<readonly Uint8Array[]> {
  const { keysMax } = call.context.options;
  const glob = parseGlob(call.argument(1));
  const found: Uint8Array[] = [];
  await sweep(call, rangeOf(glob), (key) => {
    if (!glob.matches(key)) return;
    if (found.length >= keysMax)
      fail(`ERR REPLY_TOO_LARGE more than ${keysMax} keys match (resp.keysMax); use SCAN`);
    found.push(key);
  });
  return found;
}

async function countKeys(call: Call): Promise<number> {
  let count = 0;
  await sweep(call, { keysOnly: true }, () => {
    count += 1;
  });
  return count;
}
