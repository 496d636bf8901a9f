import { CommandError } from './command-error.ts';

/** Of a session: when MULTI was refused on it, until the end of what was to be the transaction. */
export type RefusedTransaction = { multiAtMs: number | undefined };

/** A client that waits for the answer to MULTI sends no EXEC after it: then the commands after this time are its next ones. */
const FOLLOWS_MS = 1000;
const ENDS: ReadonlySet<string> = new Set(['exec', 'discard', 'reset', 'quit']);

/**
 * MULTI is refused, but most clients send what follows it without waiting: what was to be done together or not at all must not be done
 * command by command. Throws CommandError for what stands between MULTI and EXEC.
 */
export function refuseInTransaction(session: RefusedTransaction, name: string, nowMs: number): void {
  if (name === 'multi') session.multiAtMs = nowMs;
  else if (session.multiAtMs === undefined) return;
  else if (ENDS.has(name) || nowMs - session.multiAtMs >= FOLLOWS_MS) session.multiAtMs = undefined;
  else
    throw new CommandError(
      'ERR NEEDS_LINEARIZABLE not done: the MULTI before it was refused, since it takes a namespace of the class linearizable; send EXEC or DISCARD, and then single commands',
    );
}
