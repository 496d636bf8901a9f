import { setTimeout as sleep } from 'node:timers/promises';
import { KvorumError, type Operation } from '@kvorum/client';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { Progress } from '../lib/progress.ts';
import { print, printJson, type Session } from '../lib/session.ts';
import { endedText, operationLine } from './operation-text.ts';

const RETRY_MS = 250;
/** Without an answer for this long, nobody is waited for any more: an election or a restart is shorter. */
const SILENCE_MS = 60_000;

/**
 * Shows how far the operation is until it has ended; throws CliError where somebody cancelled it. Interrupted, it says how to go on: the
 * operation does in any case.
 */
export async function waitForOperation(session: Session, id: string): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const progress = new Progress(process.stderr, () => performance.now());
  try {
    const ended = await follow(session, id, { progress, signal: interrupted.signal });
    progress.clear();
    if (session.output === 'json') printJson(ended);
    else if (ended.state === 'done') print(`${endedText(ended)}\n`);
    if (ended.state === 'cancelled')
      throw new CliError(EXIT.refused, `${id} was cancelled; what has moved stays where it is`);
  } catch (error) {
    progress.clear();
    if (!interrupted.signal.aborted) throw error;
    const how = `kvorum operations watch ${id} shows it again, kvorum operations cancel ${id} ends it`;
    throw new CliError(EXIT.interrupted, `${id} goes on; ${how}`);
  }
}

type Following = { readonly progress: Progress; readonly signal: AbortSignal };

/** What it was when it had ended. A node that does not answer, or has no leader, is asked again for a while. */
async function follow({ client }: Session, id: string, { progress, signal }: Following): Promise<Operation> {
  let last: Operation | undefined;
  let most = 0;
  let endMs = performance.now() + SILENCE_MS;
  for (;;) {
    try {
      for await (const operation of client.watchOperation(id, { signal })) {
        endMs = performance.now() + SILENCE_MS;
        most = Math.max(most, operation.partitions, operation.partitionsLeft);
        if (operation.state !== 'running') return named(operation, last);
        last = operation;
        progress.draw((options) => operationLine(operation, most, options));
      }
    } catch (error) {
      const isPassing = error instanceof KvorumError && error.retryable;
      if (!isPassing || performance.now() >= endMs || signal.aborted) throw error;
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
}

/** A member that was removed at the end has lost its name with that. */
function named(ended: Operation, last: Operation | undefined): Operation {
  return last?.member === undefined ? ended : { ...ended, member: last.member };
}
