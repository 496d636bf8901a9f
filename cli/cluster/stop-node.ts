import { CliError, EXIT } from '../lib/cli-error.ts';
import { memberUrl, newClient } from '../lib/new-client.ts';
import { print, printJson, type Session } from '../lib/session.ts';
import { formatVerdict } from '../operations/operation-text.ts';
import { chooseConsistency } from './read-consistency.ts';

/**
 * Has a node stop by itself. Without `force` it is asked for first whether it can be done without, which keeps others from being stopped
 * beside it. Throws CliError where it cannot.
 */
export async function stopNode(
  session: Session,
  name: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  const url = await urlOf(session, name);
  if (!force) await requireSpare(session, name);
  await using node = newClient(session, { url, ring: false });
  const stopping = await node.stopNode(name);
  if (session.output === 'json') printJson(stopping);
  else print(`${name} stops: it finishes what is in flight first\n`);
}

/** Only the node itself stops itself. */
async function urlOf(session: Session, name: string): Promise<string> {
  const consistency = await chooseConsistency(session);
  const { members } = await session.client.members({ consistency });
  const member = members.find((each) => each.name === name);
  if (member !== undefined) return memberUrl(session, member.httpAddress);
  const names = members.map((each) => each.name).join(', ');
  throw new CliError(EXIT.refused, `there is no member '${name}'; there are ${names}`);
}

async function requireSpare({ client }: Session, name: string): Promise<void> {
  const verdict = await client.canStop(name);
  if (verdict.canStop) return;
  process.stderr.write(formatVerdict(verdict));
  throw new CliError(EXIT.cannotStop, `${name} cannot be stopped now; --force stops it nevertheless`);
}
