import type { CallOptions, Level, WriteLevels } from '@kvorum/client';
import { type Command, Option } from 'commander';
import type { Session } from './session.ts';

const LEVELS = ['1', 'quorum', 'all'];
/** The most that a node grants by default. */
const SERVER_TIMEOUT_MS_MAX = 60_000;
/** By so much this side waits longer: what a node says at its deadline tells more than that it was silent. */
const GRACE_MS = 500;

export type LevelFlags = { readonly r?: Level; readonly w?: Level };

export function withReadLevel(command: Command): Command {
  return command.addOption(levelOption('--r <level>', 'replicas that are asked'));
}

export function withWriteLevels(command: Command): Command {
  return withReadLevel(command).addOption(levelOption('--w <level>', 'replicas that must hold the write'));
}

/** The levels that were named; a --timeout that was given is told to the node too. */
export function levelsOf(
  { r, w }: LevelFlags,
  { givenTimeoutMs }: Pick<Session, 'givenTimeoutMs'>,
): WriteLevels & CallOptions {
  return {
    ...(r !== undefined && { r }),
    ...(w !== undefined && { w }),
    ...(givenTimeoutMs !== undefined && {
      serverTimeoutMs: Math.min(givenTimeoutMs, SERVER_TIMEOUT_MS_MAX),
      timeoutMs: givenTimeoutMs + GRACE_MS,
    }),
  };
}

function levelOption(flags: string, what: string): Option {
  const option = new Option(flags, `${what}: 1, quorum or all (default: quorum)`).choices(LEVELS);
  const check = option.parseArg as (text: string, previous: unknown) => unknown;
  return option.argParser((text: string) => {
    check(text, undefined);
    return text === '1' ? 1 : text;
  });
}
