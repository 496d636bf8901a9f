import { ClusterError } from '../../../cluster/cluster-admin.ts';
import type { Reply } from '../../../core/resp/reply.ts';
import { KvError } from '../../../storage/errors.ts';
import type { BatchOperation, BatchOutcome } from '../../../storage/kv-store.ts';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';

/** How a command on many keys is done, some of its items at a time. */
export type Slices<T> = {
  readonly items: readonly T[];
  /** Batches, each of which begins only if nothing of those before it failed. */
  stepsOf(slice: readonly T[]): readonly (readonly BatchOperation[])[];
  /** Called with what came of each step, in order; none of it failed. */
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

async function runAll<T>(call: Call, slices: Slices<T>): Promise<void> {
  const { items } = slices;
  let size = FIRST_SLICE;
  let hasWritten = false;
  for (let at = 0; at < items.length; ) {
    const slice = items.slice(at, at + size);
    let bytes = 0;
    for (const operations of slices.stepsOf(slice)) {
      const outcomes = await runStep(call, operations, hasWritten);
      hasWritten ||= outcomes.some(isWritten);
      slices.take(outcomes);
      bytes += outcomes.reduce((sum, each) => sum + valueBytesOf(each), 0);
    }
    at += slice.length;
    if (bytes < SLICE_BYTES_SMALL) size = Math.min(2 * size, call.context.options.batchOperationsMax);
  }
}

export function valueBytesOf(outcome: BatchOutcome): number {
  return outcome.type === 'get' ? (outcome.record?.value.length ?? 0) : 0;
}

/** Throws where some of it failed; `hadWritten`: the command has written something before. */
async function runStep(
  { context, session }: Call,
  operations: readonly BatchOperation[],
  hadWritten: boolean,
): Promise<readonly BatchOutcome[]> {
  let outcomes: readonly BatchOutcome[];
  try {
    outcomes = await context.store.batch(session.namespace, operations);
  } catch (error) {
    throw hadWritten ? toldAs('were written, and not all', error as Error) : error;
  }
  const errors = outcomes.flatMap((each) => (each.type === 'error' ? [each.error] : []));
  const [first] = errors;
  if (first === undefined) return outcomes;
  if (hadWritten || outcomes.some(isWritten)) throw toldAs('were written, and not all', first);
  // Alone it says itself whether anything was written.
  if (errors.length > 1 && errors.some(isUnknown)) throw toldAs('may have been written', first);
  throw first;
}

const isWritten = ({ type }: BatchOutcome): boolean => type === 'put' || type === 'delete';

const isUnknown = (error: Error): boolean => error instanceof KvError && error.data.outcome === 'unknown';

/** That must not look like a refusal that a client repeats by itself. */
function toldAs(what: string, error: Error): Error {
  if (!(error instanceof KvError || error instanceof ClusterError)) return error;
  return new CommandError(`ERR ${error.code} some of the keys ${what}: ${error.message}`);
}
