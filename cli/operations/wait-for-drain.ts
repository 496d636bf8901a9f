import { setTimeout as sleep } from 'node:timers/promises';
import { KvorumError, type Operation } from '@kvorum/client';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { Progress } from '../lib/progress.ts';
import { print, printJson, type Session } from '../lib/session.ts';
import { isDone, operationLine } from './operation-text.ts';

const LOOK_MS = 250;
/** Without an answer for this long, nobody is waited for any more: an election or a restart is shorter. */
const SILENCE_MS = 60_000;

/** Shows how far the drain is until nothing is left. Interrupted, it says how to go on: the drain does in any case. */
export async function waitForDrain(session: Session, name: string): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const progress = new Progress(process.stderr, () => performance.now());
  try {
    const done = await follow(session, name, { progress, signal: interrupted.signal });
    progress.clear();
    if (session.output === 'json') printJson(done);
    else print(`${name} holds no data any more; kvorum nodes remove ${name} removes it\n`);
  } catch (error) {
    progress.clear();
    if (!interrupted.signal.aborted) throw error;
    throw new CliError(
      EXIT.interrupted,
      `the drain of ${name} goes on; kvorum drain ${name} --cancel ends it`,
    );
  }
}

type Following = { readonly progress: Progress; readonly signal: AbortSignal };

async function follow(session: Session, name: string, { progress, signal }: Following): Promise<Operation> {
  let most = 0;
  for (;;) {
    const operation = await look(session, name, signal);
    most = Math.max(most, operation.partitionsLeft);
    if (isDone(operation)) return operation;
    progress.draw((options) => operationLine(operation, most, options));
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** The drain as it is now; a node that does not answer, or has no leader, is asked again for a while. */
async function look({ client }: Session, name: string, signal: AbortSignal): Promise<Operation> {
  const endMs = performance.now() + SILENCE_MS;
  for (;;) {
    try {
      const { operations } = await client.operations({ signal });
      const found = operations.find(({ type, member }) => type === 'drain' && member === name);
      if (found !== undefined) return found;
      throw new CliError(
        EXIT.refused,
        `the drain of ${name} was cancelled, or the member removed, by somebody else`,
      );
    } catch (error) {
      const isPassing = error instanceof KvorumError && error.retryable;
      if (!isPassing || performance.now() >= endMs || signal.aborted) throw error;
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}
