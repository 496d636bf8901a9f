import type { Reply } from '../../../core/resp/reply.ts';
import { KvError } from '../../../storage/errors.ts';
import type { BatchOperation, BatchOutcome } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';

/** How a command on many keys is done, some of its items at a time. */
export type Slices<T> = {
  readonly items: readonly T[];
  operationsOf(slice: readonly T[]): readonly BatchOperation[];
  /** Called with what came of each slice, in order; none of it failed. */
  take(outcomes: readonly BatchOutcome[]): void;
  reply(): Reply;
};

/**
 * Runs a command on many keys, a limited number at once, and answers when all are done. The first that fails is the answer: what was done
 * before it, and beside it, stays.
 */
export function runSlices<T>(call: Call, slices: Slices<T>): void {
  call.after(runAll(call, slices), () => slices.reply());
}

/** At first; it doubles while what is read stays small. */
const FIRST_SLICE = 16;
const SLICE_BYTES_SMALL = 1024 * 1024;

async function runAll<T>({ context, session }: Call, slices: Slices<T>): Promise<void> {
  const { items } = slices;
  let size = FIRST_SLICE;
  for (let at = 0; at < items.length; ) {
    const slice = items.slice(at, at + size);
    const operations = slices.operationsOf(slice);
    const outcomes = await context.store.batch(session.namespace, operations);
    refuseFailed(outcomes, items.length);
    slices.take(outcomes);
    at += slice.length;
    const bytes = outcomes.reduce((sum, each) => sum + valueBytesOf(each), 0);
    if (bytes < SLICE_BYTES_SMALL) size = Math.min(2 * size, context.options.batchOperationsMax);
  }
}

export function valueBytesOf(outcome: BatchOutcome): number {
  return outcome.type === 'get' ? (outcome.record?.value.length ?? 0) : 0;
}

/** Of several keys others may have been written: that must not look like a refusal that a client repeats by itself. */
function refuseFailed(outcomes: readonly BatchOutcome[], items: number): void {
  for (const each of outcomes) {
    if (each.type !== 'error') continue;
    const { error } = each;
    const isPartial = items > 1 && outcomes.some(({ type }) => type === 'put' || type === 'delete');
    if (isPartial && error instanceof KvError)
      throw new CommandError(
        `ERR ${error.code} some of the keys were written, and not all: ${error.message}`,
      );
    throw error;
  }
}
