import type { RangeQuery } from '@kvorum/client';
import type { Command } from 'commander';
import { type KeyFormat, parseKey } from './key-format.ts';
import { numberBetween } from './parse-option.ts';

export type RangeFlags = {
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
  readonly limit?: number;
  readonly reverse?: true;
  readonly keysOnly?: true;
};

export function withRange(command: Command): Command {
  return command
    .option('--prefix <key>', 'keys that begin so')
    .option('--start <key>', 'from this key on, inclusive')
    .option('--end <key>', 'up to this key, exclusive')
    .option('--limit <count>', 'entries at most', numberBetween(1, Number.MAX_SAFE_INTEGER))
    .option('--reverse', 'from the last key to the first')
    .option('--keys-only', 'leave the values out');
}

export function rangeOf(flags: RangeFlags, format: KeyFormat): RangeQuery {
  const bound = (name: 'prefix' | 'start' | 'end') =>
    flags[name] === undefined ? {} : { [name]: parseKey(flags[name], format) };
  return {
    ...bound('prefix'),
    ...bound('start'),
    ...bound('end'),
    ...(flags.limit !== undefined && { limit: flags.limit }),
    ...(flags.reverse && { reverse: true }),
    ...(flags.keysOnly && { keysOnly: true }),
  };
}
