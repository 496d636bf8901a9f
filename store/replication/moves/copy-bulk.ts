import type { MemberId } from '../../core/raft/types.ts';
import { type MoveAt, toEpoch } from '../../core/topology/types.ts';
import { type BulkPage, openPage } from '../../peer/bulk-page.ts';
import type { DataReply, KeyAt } from '../../peer/data-messages.ts';
import { ProtocolError } from '../../peer/frame.ts';
import { type AskFailure, isFailure } from '../exchange/data-asker.ts';
import {
  type BulkProgress,
  type MoveOptions,
  notYet,
  type TransferDeps,
  type Transferred,
} from './move-options.ts';

type BulkReply = Extract<DataReply, { readonly type: 'bulk' }>;

/** A page is what may come in so long a time, so that none holds up what is slowed down already. */
const PAGE_MS = 1000 / 32;

/**
 * Copies what `source` holds of a partition, from where `progress` is, a page at a time: one request for thousands of records, one
 * synced batch. It proves nothing, since F is written to meanwhile, and leaves out what is damaged: `synchronise` proves, and
 * finds little left to bring. One page is on its way while the one before goes to the disk here, which is all the credit that a source
 * gives: what it has under way for this member is `moves.partitionsMax` pages.
 */
export async function copyBulk(
  { limits }: MoveOptions,
  { asker, pacerOf, stagesBytesOf, onSourceLoad, replica, onBytes }: TransferDeps,
  { at, progress }: { readonly at: MoveAt; readonly progress: BulkProgress },
  source: MemberId,
  signal: AbortSignal,
): Promise<Transferred> {
  const { partition } = at;
  const epoch = toEpoch(at.epoch);
  const ask = (after: KeyAt | undefined): Promise<BulkReply | AskFailure> => {
    const wanted = (pacerOf(source).bytesPerSecond * PAGE_MS) / 1000;
    const bytesMax = Math.round(Math.min(limits.pageBytesMax, Math.max(limits.pageBytesMin, wanted)));
    const request = { partition, epoch, after, bytesMax };
    return asker.ask('bulk', { type: 'bulk', to: source, ...request });
  };
  let bytes = 0;
  let asked: Promise<BulkReply | AskFailure> | undefined = ask(progress.after);
  while (asked !== undefined) {
    const reply: BulkReply | AskFailure = await asked;
    if (isFailure(reply)) return notYet(reply.reason);
    if (signal.aborted) return notYet('the node stops');
    const last: KeyAt | undefined = reply.last;
    asked = last && ask(last);
    const page = opened(reply.records, partition);
    if (page === undefined) return notYet(`member ${source} answered with a page that is none`);
    const pageBytes = page.valueBytes;
    onSourceLoad(source, reply.p99Ms);
    const isFirst = progress.after === undefined;
    await pacerOf(source).take(pageBytes + (isFirst ? stagesBytesOf(source) : 0), signal);
    const stored = await replica.storePage({ partition, epoch }, page);
    if (stored.type === 'refused') return notYet(`${stored.code}: ${stored.message}`);
    onBytes(at, pageBytes);
    bytes += pageBytes;
    progress.after = last ?? progress.after;
  }
  return { type: 'transferred', bytes };
}

function opened(packed: Uint8Array, partition: number): BulkPage | undefined {
  try {
    return openPage(packed, partition);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
