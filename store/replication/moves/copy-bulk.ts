import type { MemberId } from '../../core/raft/types.ts';
import type { PartitionAt, ScannedEntry } from '../../peer/data-messages.ts';
import type { ReplicaRefusalCode } from '../../peer/replica-messages.ts';
import { isFailure } from '../exchange/data-asker.ts';
import { type MoveOptions, notYet, type TransferDeps, type Transferred } from './move-options.ts';

/** What says of one key that it need not be here. */
const NOT_NEEDED: readonly ReplicaRefusalCode[] = ['BELOW_WATERMARK', 'NAMESPACE_NOT_FOUND'];

/**
 * Copies what `source` holds of a partition that is empty here, a page at a time: one request for hundreds of records. It
 * proves nothing, since F is written to meanwhile: `synchronise` does, and finds little left to bring.
 */
export async function copyBulk(
  options: MoveOptions,
  deps: TransferDeps,
  at: PartitionAt,
  source: MemberId,
  signal: AbortSignal,
): Promise<Transferred> {
  let bytes = 0;
  for (const namespaceId of deps.namespaceIds()) {
    const copied = await copyNamespace(options, deps, { ...at, namespaceId }, source, signal);
    if (copied.type === 'not-yet') return copied;
    bytes += copied.bytes;
  }
  return { type: 'transferred', bytes };
}

type NamespaceAt = PartitionAt & { readonly namespaceId: number };

async function copyNamespace(
  options: MoveOptions,
  deps: TransferDeps,
  at: NamespaceAt,
  source: MemberId,
  signal: AbortSignal,
): Promise<Transferred> {
  const { partition, epoch, namespaceId } = at;
  const { pageEntriesMax: entriesMax, pageBytesMax: bytesMax } = options.limits;
  let start: Uint8Array | undefined;
  let bytes = 0;
  do {
    if (signal.aborted) return notYet('the node stops');
    const reply = await deps.asker.ask('scan', {
      ...{ type: 'scan', to: source, partitions: [{ partition, epoch, isFull: true }], namespaceId },
      ...{ start, end: undefined, isReverse: false, entriesMax, bytesMax },
    });
    if (isFailure(reply)) return notYet(reply.reason);
    const pageBytes = reply.entries.reduce((sum, { record }) => sum + (record?.length ?? 0), 0);
    await deps.pacerOf(source).take(pageBytes, signal);
    const problem = await storePage(options, deps, at, reply.entries);
    if (problem !== undefined) return notYet(problem);
    bytes += pageBytes;
    start = reply.coveredTo === undefined ? undefined : after(reply.coveredTo);
  } while (start !== undefined);
  return { type: 'transferred', bytes };
}

/** In words, why one of them is not held here now. */
async function storePage(
  { self, limits }: MoveOptions,
  { client }: TransferDeps,
  at: NamespaceAt,
  entries: readonly ScannedEntry[],
): Promise<string | undefined> {
  const problems = await Promise.all(
    entries.map(async ({ key, record }) => {
      // Damaged there: another source has it.
      if (record === undefined) return undefined;
      const body = { type: 'store', origin: 'exchange', record, sourceWatermark: undefined } as const;
      const outcome = await client.ask({ to: self, ...at, key, body }, { timeoutMs: limits.requestMs });
      if (outcome.type === 'unreachable') return outcome.code;
      const said = outcome.reply.body;
      if (said.type !== 'refused') return undefined;
      return NOT_NEEDED.includes(said.code) ? undefined : `${said.code}: ${said.message}`;
    }),
  );
  return problems.find((problem) => problem !== undefined);
}

/** The least key above `key`. */
function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
