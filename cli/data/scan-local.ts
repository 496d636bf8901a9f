import type { LocalEntry, LocalQuery } from '@kvorum/client';
import { usageError } from '../lib/cli-error.ts';
import { entryJson } from '../lib/entry-json.ts';
import { formatKey, previewValue } from '../lib/key-format.ts';
import { memberUrl, newClient } from '../lib/new-client.ts';
import type { Session } from '../lib/session.ts';

const PREVIEW_CHARS_MAX = 100;

/** A line for each record that the member `name` itself holds: key, version, value. */
export async function* localLines(session: Session, name: string, query: LocalQuery): AsyncGenerator<string> {
  const { client, namespace, keyFormat, output } = session;
  const { members } = await client.members({ consistency: 'local' });
  const member = members.find((each) => each.name === name);
  if (member === undefined)
    throw usageError(
      `there is no member '${name}'; there are ${members.map((each) => each.name).join(', ')}`,
    );
  await using direct = newClient(session, { url: memberUrl(session, member.httpAddress) });
  for await (const entry of direct.scanLocal(namespace, query)) {
    if (output === 'json') yield JSON.stringify(localJson(entry));
    else yield [formatKey(entry.key, keyFormat), entry.version, valueText(entry)].join('\t').trimEnd();
  }
}

function localJson(entry: LocalEntry): Record<string, unknown> {
  const { partition, isTombstone, isExpired } = entry;
  return { ...entryJson(entry), partition, isTombstone, isExpired };
}

function valueText({ value, isTombstone, isExpired }: LocalEntry): string {
  if (isTombstone) return '<deleted>';
  const text = value === undefined ? '' : previewValue(value, PREVIEW_CHARS_MAX);
  return isExpired ? `<expired> ${text}` : text;
}
