import type { Topology } from '@kvorum/client';
import { repairOf } from '../data/data-actions.ts';
import { repairText } from '../data/repair-text.ts';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { hasColors, print, printJson, type Session } from '../lib/session.ts';
import { formatChange, formatCluster, formatMembers, formatTopology } from './cluster-text.ts';
import { formatConfig } from './config-text.ts';
import { chooseConsistency } from './read-consistency.ts';

// What the commands and the shell have in common.

const COLOR = { ok: 32, degraded: 33, lost: 31, none: 31 } as const;

/** Throws CliError where the topology cannot be changed, so that a script sees it. */
export async function showCluster(session: Session): Promise<void> {
  const { client, output, color } = session;
  const status = await client.cluster();
  const repair = status.node.state === 'member' ? await repairOf(session) : undefined;
  const { state, reason } = status.quorum;
  const paint = (text: string): string =>
    hasColors({ color }, process.stdout) ? `\u001b[${COLOR[state]}m${text}\u001b[0m` : text;
  if (output === 'json') printJson({ ...status, ...(repair !== undefined && { repair }) });
  else {
    print(formatCluster(status, paint));
    if (repair !== undefined) print(`repair      ${repairText(repair, Date.now())}\n`);
  }
  if (state === 'lost') throw new CliError(EXIT.quorumLost, `the quorum is lost: ${reason ?? 'no majority'}`);
  if (state === 'none') throw new CliError(EXIT.quorumLost, `${status.node.name} is of no cluster`);
}

export async function showMembers(session: Session): Promise<void> {
  const consistency = await chooseConsistency(session);
  const list = await session.client.members({ consistency });
  if (session.output === 'json') printJson(list);
  else print(formatMembers(list));
}

/** Of the node of --url. */
export async function showConfig(session: Session): Promise<void> {
  const config = await session.client.config();
  if (session.output === 'json') printJson(config);
  else print(formatConfig(config));
}

export async function showTopology(session: Session): Promise<void> {
  const consistency = await chooseConsistency(session);
  const topology = await session.client.topology({ consistency });
  if (session.output === 'json') printJson(topology);
  else print(formatTopology(topology));
}

/** A line for the topology as it is, and one for each change, until `signal` aborts. */
export async function watchTopology({ client, output }: Session, signal: AbortSignal): Promise<void> {
  let before: Topology | undefined;
  try {
    for await (const topology of client.watchTopology({ signal })) {
      if (output === 'json') printJson(topology);
      else print(`${new Date().toISOString()}  ${formatChange(before, topology)}`);
      before = topology;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
