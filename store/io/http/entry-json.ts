import { formatVersion } from '../../core/version/version.ts';
import type { ScanEntry, ScanRange } from '../../storage/kv-store.ts';
import { bytesField } from './byte-text.ts';
import { iso } from './key-handlers.ts';

/** An entry of a page, or a line of a stream. */
export function entryJson({ key, record }: ScanEntry, range: ScanRange): string {
  return JSON.stringify({
    ...bytesField('key', key),
    version: formatVersion(record.version),
    ...(range.keysOnly === true ? {} : bytesField('value', record.value)),
    contentType: record.contentType,
    expiresAt: record.expiresAtMs === undefined ? undefined : iso(record.expiresAtMs),
  });
}
