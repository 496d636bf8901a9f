import { hostname } from 'node:os';
import type { NewOperation } from '@kvorum/client';
import { chooseConsistency } from '../cluster/read-consistency.ts';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { print, printJson, type Session } from '../lib/session.ts';
import { formatOperations, formatVerdict, startedText } from './operation-text.ts';
import { waitForOperation } from './wait-for-operation.ts';

// What the commands and the shell have in common.

/** Of who asks; the most that a node keeps. */
const BY_CHARACTERS_MAX = 128;

/** Those that run; with `all` those too that ended of late. */
export async function showOperations(session: Session, { all }: { readonly all: boolean }): Promise<void> {
  const consistency = await chooseConsistency(session);
  const state = all ? {} : { state: 'running' as const };
  const list = await session.client.operations({ consistency, ...state });
  if (session.output === 'json') printJson(list);
  else print(formatOperations(list, Date.now()));
}

/** Begins what is asked for, and waits for its end where that is wanted. */
export async function startOperation(
  session: Session,
  wanted: NewOperation,
  { wait }: { readonly wait: boolean },
): Promise<void> {
  const started = await session.client.startOperation({ ...wanted, by: askedBy() });
  const id = started.operation;
  if (wait && id !== undefined) return await waitForOperation(session, id);
  if (session.output === 'json') printJson(started);
  else print(id === undefined ? 'nothing is to be done: it is so already\n' : `${startedText(id)}\n`);
}

function askedBy(): string {
  return `${process.env.USER || 'unknown'}@${hostname()}`.slice(0, BY_CHARACTERS_MAX);
}

export async function cancelOperation({ client, output }: Session, id: string): Promise<void> {
  const result = await client.cancelOperation(id);
  if (output === 'json') printJson(result);
  else print(`${id} is cancelled; what has moved stays where it is\n`);
}

export async function cancelDrain({ client, output }: Session, name: string): Promise<void> {
  const result = await client.cancelDrain(name);
  if (output === 'json') printJson(result);
  else if (result.operation === undefined) print(`${name} does not drain\n`);
  else print(`${result.operation} is cancelled; what has moved stays where it is\n`);
}

/** Throws CliError where it cannot, so that a script sees it. Without a leader there is no answer: what is known may be old. */
export async function showStopVerdict(
  { client, output }: Session,
  name: string,
  { look }: { readonly look: boolean },
): Promise<void> {
  const verdict = await client.canStop(name, { look });
  if (output === 'json') printJson(verdict);
  else print(formatVerdict(verdict));
  if (!verdict.canStop) throw new CliError(EXIT.cannotStop, `${name} cannot be stopped now`);
}
