import { chooseConsistency } from '../cluster/read-consistency.ts';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { print, printJson, type Session } from '../lib/session.ts';
import { formatOperations, formatVerdict } from './operation-text.ts';

// What the commands and the shell have in common.

export async function showOperations(session: Session): Promise<void> {
  const consistency = await chooseConsistency(session);
  const list = await session.client.operations({ consistency });
  if (session.output === 'json') printJson(list);
  else print(formatOperations(list));
}

/** Throws CliError where it cannot, so that a script sees it. Without a leader there is no answer: what is known may be old. */
export async function showStopVerdict({ client, output }: Session, name: string): Promise<void> {
  const verdict = await client.canStop(name);
  if (output === 'json') printJson(verdict);
  else print(formatVerdict(verdict));
  if (!verdict.canStop) throw new CliError(EXIT.cannotStop, `${name} cannot be stopped now`);
}
