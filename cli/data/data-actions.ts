import { type KeySafety, KvorumError, type RepairStatus } from '@kvorum/client';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { formatKey, parseKey } from '../lib/key-format.ts';
import { Progress } from '../lib/progress.ts';
import { hasColors, print, printJson, type Session } from '../lib/session.ts';
import { formatExplanation } from './explain-text.ts';
import { formatVerified, verifyLine } from './repair-text.ts';
import { formatPlace, formatRing } from './ring-text.ts';

// What the commands and the shell have in common.

const COLOR: Readonly<Record<KeySafety, number>> = {
  ...{ safe: 32, absent: 32, degraded: 33, unknown: 33, 'at-risk': 31 },
};
/** Less than a node asks to wait before a second try: its state is not worth waiting for. */
const REPAIR_TIMEOUT_MS = 900;

export async function showRing({ client, output }: Session): Promise<void> {
  const ring = await client.ring();
  if (output === 'json') printJson(ring);
  else print(formatRing(ring));
}

export async function showPlace({ client, output, keyFormat }: Session, text: string): Promise<void> {
  const key = parseKey(text, keyFormat);
  const place = await client.locate(key);
  if (output === 'json') printJson(place);
  else print(formatPlace(formatKey(key, keyFormat), place));
}

export async function showExplanation(session: Session, namespace: string, text: string): Promise<void> {
  const { client, output, keyFormat, color } = session;
  const key = parseKey(text, keyFormat);
  const explanation = await client.explain(namespace, key);
  if (output === 'json') return printJson(explanation);
  const paint = (word: string): string =>
    hasColors({ color }, process.stdout) ? `\u001b[${COLOR[explanation.safety]}m${word}\u001b[0m` : word;
  print(formatExplanation(formatKey(key, keyFormat), explanation, Date.now(), paint));
}

/** Throws CliError where not all replicas are proven equal, so that a script sees it. */
export async function verify({ client, output }: Session, node: string | undefined): Promise<void> {
  const progress = new Progress(process.stderr, () => performance.now());
  const report = await client
    .verify({
      ...(node !== undefined && { node }),
      onProgress: (state) => progress.draw(({ withBar }) => verifyLine(state, withBar)),
    })
    .finally(() => progress.clear());
  if (output === 'json') printJson(report);
  else print(formatVerified(report));
  const open = report.partitions - report.equal;
  if (open > 0)
    throw new CliError(EXIT.notEqual, `${open} of ${report.partitions} partitions are not proven equal`);
}

/** Undefined where the node does not tell. */
export async function repairOf({ client }: Session): Promise<RepairStatus | undefined> {
  try {
    return await client.repair({ timeoutMs: REPAIR_TIMEOUT_MS });
  } catch (error) {
    if (error instanceof KvorumError) return undefined;
    throw error;
  }
}
