import { ExchangeError } from './connections.ts';

/** What is shown to nodes, or a function that gives it; undefined shows nothing. */
export type Token = string | (() => string | undefined | Promise<string | undefined>);

/**
 * The token as it is now. Nothing has been sent then: where the function fails it throws TypeError, since no node is to blame, and
 * ExchangeError where `signal` is aborted first.
 */
export function currentToken(
  token: Token | undefined,
  signal: AbortSignal,
): string | undefined | Promise<string | undefined> {
  return typeof token === 'function' ? askFor(token, signal) : token;
}

async function askFor(token: Exclude<Token, string>, signal: AbortSignal): Promise<string | undefined> {
  let onAbort = (): void => {};
  const late = new Promise<never>((_, reject) => {
    onAbort = () => reject(new ExchangeError(new Error('no token came in time'), 'no'));
  });
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([late, answerOf(token)]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function answerOf(token: Exclude<Token, string>): Promise<string | undefined> {
  try {
    return await token();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`the function that gives the token failed: ${reason}`, { cause });
  }
}
