import { type Bytes, checkedKey, percentEncode } from './bytes.ts';
import type {
  KeyExplanation,
  KeyPlace,
  RepairStatus,
  Ring,
  VerifyProgress,
  VerifyReport,
} from './data-types.ts';
import { KvorumProtocolError, KvorumResponseError, type Problem } from './errors.ts';
import { lines } from './ndjson.ts';
import { queryOf } from './query.ts';
import { PAGE_ENTRIES_MAX } from './ranges.ts';
import { read } from './requests.ts';
import type { CallOptions, Request, Transport } from './transport.ts';
import type { Entry, PageQuery } from './types.ts';
import {
  arrayIn,
  asObject,
  entryOf,
  type Json,
  jsonOf,
  numberIn,
  optionalString,
  parseJson,
  stringIn,
} from './wire.ts';

// What people and programs look at is passed on as the node tells it, behind a look at whether it is a Kvorum node.

/** A record of one node, whatever the others have. Its value is undefined in a tombstone. */
export type LocalEntry = Entry & {
  readonly partition: number;
  readonly isTombstone: boolean;
  readonly isExpired: boolean;
};

export type LocalPage = { readonly entries: readonly LocalEntry[]; readonly cursor: string | undefined };
export type LocalQuery = PageQuery & {
  /** Deleted and expired keys too. */
  readonly withTombstones?: boolean;
};

export async function readRing(transport: Transport, options?: CallOptions): Promise<Ring> {
  const json = jsonOf(await transport.call(read('/v1/ring'), options));
  numberIn(json, 'epoch');
  for (const name of ['members', 'sets']) arrayIn(json, name);
  asObject(json.balance);
  return json as Ring;
}

export async function locateKey(transport: Transport, key: Bytes, options?: CallOptions): Promise<KeyPlace> {
  const json = jsonOf(await transport.call(read(`/v1/locate/${percentEncode(checkedKey(key))}`), options));
  numberIn(json, 'slot');
  arrayIn(json, 'replicas');
  return json as KeyPlace;
}

export async function explainKey(
  transport: Transport,
  namespace: string,
  key: Bytes,
  options?: CallOptions,
): Promise<KeyExplanation> {
  const path = `/v1/explain/${percentEncode(namespace)}/${percentEncode(checkedKey(key))}`;
  const json = jsonOf(await transport.call(read(path), options));
  stringIn(json, 'verdict');
  arrayIn(json, 'replicas');
  return json as KeyExplanation;
}

export async function repairStatus(transport: Transport, options?: CallOptions): Promise<RepairStatus> {
  const json = jsonOf(await transport.call(read('/v1/repair'), options));
  for (const name of ['replica', 'hints', 'exchange', 'trees']) asObject(json[name]);
  return json as RepairStatus;
}

export async function scanLocalPage(
  transport: Transport,
  namespace: string,
  { withTombstones, ...query }: LocalQuery,
  options?: CallOptions,
): Promise<LocalPage> {
  const range = queryOf(query);
  const flag = withTombstones === true ? `${range === '' ? '?' : '&'}tombstones=true` : '';
  const path = `/v1/local/${percentEncode(namespace)}${range}${flag}`;
  const json = jsonOf(await transport.call(read(path), options));
  return { entries: arrayIn(json, 'entries').map(localEntryOf), cursor: optionalString(json, 'cursor') };
}

function localEntryOf(json: Json): LocalEntry {
  return {
    ...entryOf(json),
    partition: numberIn(json, 'partition'),
    isTombstone: json.isTombstone === true,
    isExpired: json.isExpired === true,
  };
}

/** To verify twice does no harm, so that it is repeated as a read is. */
export async function verifyData(
  transport: Transport,
  { node, onProgress }: { readonly node?: string; readonly onProgress?: (progress: VerifyProgress) => void },
  options?: CallOptions,
): Promise<VerifyReport> {
  const path = `/v1/verify${node === undefined ? '' : `?node=${percentEncode(node)}`}`;
  const request: Request = { method: 'POST', path, isRead: true };
  for await (const line of lines(transport.stream(request, options))) {
    const { type, ...rest } = parseJson(line);
    if (type === 'progress') onProgress?.({ done: numberIn(rest, 'done'), total: numberIn(rest, 'total') });
    else if (type === 'report') return reportOf(rest);
    else if (type === 'problem') throw new KvorumResponseError(asObject(rest.problem) as Problem, undefined);
  }
  throw new KvorumProtocolError('the verification ended without a report');
}

function reportOf(json: Json): VerifyReport {
  numberIn(json, 'partitions');
  arrayIn(json, 'members');
  return json as VerifyReport;
}

/** All of a range, a page at a time. */
export async function* scanLocalPages(
  transport: Transport,
  namespace: string,
  query: LocalQuery,
  options?: CallOptions,
): AsyncGenerator<LocalEntry, void, undefined> {
  let remaining = query.limit ?? Number.POSITIVE_INFINITY;
  let { cursor } = query;
  do {
    const limit = Math.min(remaining, PAGE_ENTRIES_MAX);
    const pageQuery = { ...query, limit, ...(cursor !== undefined && { cursor }) };
    const page = await scanLocalPage(transport, namespace, pageQuery, options);
    yield* page.entries;
    remaining -= page.entries.length;
    cursor = page.cursor;
  } while (cursor !== undefined && remaining > 0);
}
