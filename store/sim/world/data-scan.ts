import { DEFAULT_NAMESPACE } from '../../core/topology/genesis.ts';
import type { KvStore } from '../../storage/kv-store.ts';
import {
  beginRead,
  type DataClient,
  drawOptions,
  notRead,
  type PendingRead,
  sawRecord,
  ttlKey,
} from './data-client.ts';

/** Keys of the workload, in order; a scan that passes one shows it or says that it is not there. */
function keysInOrder({ plan }: DataClient, isReverse: boolean): string[] {
  const plain = Array.from({ length: plan.keys }, (_, number) => `key-${number}`);
  const expiring = Array.from({ length: plan.expiringKeys }, (_, number) => ttlKey(number));
  const keys = [...plain, ...expiring].toSorted();
  return isReverse ? keys.toReversed() : keys;
}

type Page = Awaited<ReturnType<KvStore['scan']>>;

export async function scan(client: DataClient): Promise<void> {
  const { prng, store } = client;
  const reverse = prng.below(3) === 0;
  const limit = 1 + prng.below(6);
  const options = drawOptions(client);
  let rest = keysInOrder(client, reverse);
  let after: Uint8Array | undefined;
  do {
    const pending = rest.map((key) => beginRead(client, key));
    let page: Page;
    try {
      page = await store.scan(DEFAULT_NAMESPACE, { limit, after, reverse }, options);
    } catch (error) {
      return notRead(client, error);
    }
    after = page.resumeAfter;
    if (options.r !== 1) sawEntries(client, pending, page.entries, after, reverse);
    rest = rest.filter((key) => after !== undefined && isBehind(key, after, reverse));
  } while (after !== undefined && client.isHeard());
}

export async function scanAll(client: DataClient): Promise<void> {
  const pending = keysInOrder(client, false).map((key) => beginRead(client, key));
  const entries: Page['entries'][number][] = [];
  try {
    for await (const page of client.store.scanAll(DEFAULT_NAMESPACE, {})) entries.push(...page);
  } catch (error) {
    return notRead(client, error);
  }
  sawEntries(client, pending, entries, undefined, false);
}

/** `after`: up to where, in the scan's direction, the entries are all that there are; undefined: to the end. */
function sawEntries(
  client: DataClient,
  pending: readonly PendingRead[],
  entries: Page['entries'],
  after: Uint8Array | undefined,
  isReverse: boolean,
): void {
  const found = new Map(entries.map(({ key, record }) => [Buffer.from(key).toString(), record]));
  for (const read of pending) {
    if (after !== undefined && isBehind(read.key, after, isReverse)) continue;
    sawRecord(client, read, found.get(read.key));
  }
}

const isBehind = (key: string, after: Uint8Array, isReverse: boolean): boolean => {
  const order = Buffer.compare(Buffer.from(key), after);
  return isReverse ? order < 0 : order > 0;
};
