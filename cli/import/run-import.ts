import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BatchFailure,
  type KvorumClient,
  KvorumConnectionError,
  KvorumError,
  KvorumTimeoutError,
} from '@kvorum/client';
import { type LineFrame, readFrames } from './frame.ts';
import type { ImportRecord } from './import-record.ts';
import { framerOf, type InputFormat } from './input-format.ts';

export type ImportOptions = {
  readonly client: KvorumClient;
  readonly namespace: string;
  readonly format: InputFormat;
  readonly input: AsyncIterable<Uint8Array>;
  /** Records at the beginning that an earlier run has written. */
  readonly recordsDone: number;
  recordOf(frame: LineFrame): ImportRecord;
  onBad(line: number, reason: string): void;
  /** Called after each batch: all of the first `recordsDone` records are settled. */
  onProgress(counts: ImportCounts): void;
};

export type ImportCounts = {
  readonly recordsDone: number;
  readonly imported: number;
  readonly bad: number;
  readonly inputBytes: number;
};

type PutRecord = Extract<ImportRecord, { type: 'put' }>;
type Batch = { readonly puts: readonly PutRecord[]; readonly recordsSeen: number };

const BATCH_OPERATIONS_MAX = 500;
const BATCH_BYTES_MAX = 1 << 20;
const BATCHES_UNDER_WAY_MAX = 4;
const ATTEMPTS_MAX = 8;
const BACKOFF_MS = 100;
const BACKOFF_MS_MAX = 5000;

/** Writes the input in batches, a few at a time, and settles them in the order of the input. */
export async function runImport(options: ImportOptions): Promise<ImportCounts> {
  const counts = { recordsDone: options.recordsDone, imported: 0, bad: 0, inputBytes: 0 };
  const onBad = (line: number, reason: string): void => {
    counts.bad += 1;
    options.onBad(line, reason);
  };
  const underWay: { readonly batch: Batch; readonly written: Promise<number> }[] = [];
  const settleOldest = async (): Promise<void> => {
    const oldest = underWay.shift();
    if (oldest === undefined) return;
    counts.imported += await oldest.written;
    counts.recordsDone = oldest.batch.recordsSeen;
    options.onProgress(counts);
  };
  const input = counted(options.input, (bytes) => {
    counts.inputBytes += bytes;
  });
  for await (const batch of batchesOf(options, input, onBad)) {
    const written = writeBatch(options, batch.puts, onBad);
    written.catch(() => {}); // it is awaited in its turn
    underWay.push({ batch, written });
    if (underWay.length >= BATCHES_UNDER_WAY_MAX) await settleOldest();
  }
  while (underWay.length > 0) await settleOldest();
  return counts;
}

async function* counted(
  input: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    count(chunk.length);
    yield chunk;
  }
}

async function* batchesOf(
  options: ImportOptions,
  input: AsyncIterable<Uint8Array>,
  onBad: (line: number, reason: string) => void,
): AsyncGenerator<Batch> {
  let puts: PutRecord[] = [];
  let bytes = 0;
  let recordsSeen = 0;
  for await (const frames of readFrames(input, framerOf(options.format))) {
    for (const frame of frames) {
      const record = options.recordOf(frame);
      recordsSeen += 1;
      if (recordsSeen <= options.recordsDone || record.type === 'skip') continue;
      if (record.type === 'bad') {
        onBad(record.line, record.reason);
        continue;
      }
      puts.push(record);
      bytes += record.key.length + record.value.length;
      if (puts.length < BATCH_OPERATIONS_MAX && bytes < BATCH_BYTES_MAX) continue;
      yield { puts, recordsSeen };
      puts = [];
      bytes = 0;
    }
  }
  yield { puts, recordsSeen };
}

/** How many were written; what the node refuses for good is a bad record. A put may be repeated: it is the same again. */
async function writeBatch(
  options: ImportOptions,
  puts: readonly PutRecord[],
  onBad: (line: number, reason: string) => void,
): Promise<number> {
  let waiting = puts;
  let imported = 0;
  for (let attempt = 1; waiting.length > 0; attempt++) {
    const { written, again, failure } = await tryBatch(options, waiting, onBad);
    imported += written;
    if (again.length > 0 && attempt === ATTEMPTS_MAX)
      throw failure ?? new Error('the node did not take a batch');
    waiting = again;
    if (again.length > 0) await sleep(Math.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** attempt));
  }
  return imported;
}

type Tried = {
  readonly written: number;
  readonly again: readonly PutRecord[];
  readonly failure: Error | undefined;
};

async function tryBatch(
  options: ImportOptions,
  puts: readonly PutRecord[],
  onBad: (line: number, reason: string) => void,
): Promise<Tried> {
  try {
    const results = await options.client.batch(
      options.namespace,
      puts.map(({ key, value, contentType, ttlSeconds }) => ({
        op: 'put' as const,
        key,
        value,
        ...(contentType !== undefined && { contentType }),
        ...(ttlSeconds !== undefined && { ttlSeconds }),
      })),
    );
    const again: PutRecord[] = [];
    let failure: Error | undefined;
    for (const [i, result] of results.entries()) {
      if (result.ok) continue;
      if (isFatal(result)) throw new Error(`${result.code}: ${result.detail}`);
      failure = new Error(`${result.code}: ${result.detail}`);
      if (result.retryable) again.push(puts[i] as PutRecord);
      else onBad((puts[i] as PutRecord).line, `${result.code}: ${result.detail}`);
    }
    return { written: results.filter((result) => result.ok).length, again, failure };
  } catch (error) {
    if (isWorthRepeating(error)) return { written: 0, again: puts, failure: error as Error };
    if (!isRefusedWhole(error) || puts.length === 1) return oneBad(error, puts, onBad);
    return tryApart(options, puts, onBad);
  }
}

/** The node is at its end, not the record: going on would make every record a bad one. */
function isFatal(result: BatchFailure): boolean {
  return (
    result.code === 'STORAGE_FULL' ||
    result.code === 'STORAGE_FAILED' ||
    result.code === 'NAMESPACE_NOT_FOUND'
  );
}

function isWorthRepeating(error: unknown): boolean {
  if (error instanceof KvorumConnectionError || error instanceof KvorumTimeoutError) return true;
  return error instanceof KvorumError && error.retryable;
}

/** One record, such as a key that is too long, spoils its batch: RangeError and TypeError are the client's checks. */
function isRefusedWhole(error: unknown): boolean {
  if (error instanceof RangeError || error instanceof TypeError) return true;
  return error instanceof KvorumError && error.code !== 'NAMESPACE_NOT_FOUND';
}

function oneBad(
  error: unknown,
  puts: readonly PutRecord[],
  onBad: (line: number, reason: string) => void,
): Tried {
  if (!isRefusedWhole(error)) throw error;
  for (const { line } of puts) onBad(line, (error as Error).message);
  return { written: 0, again: [], failure: undefined };
}

/** Halves the batch until the bad records stand alone. */
async function tryApart(
  options: ImportOptions,
  puts: readonly PutRecord[],
  onBad: (line: number, reason: string) => void,
): Promise<Tried> {
  const middle = puts.length >> 1;
  const first = await tryBatch(options, puts.slice(0, middle), onBad);
  const second = await tryBatch(options, puts.slice(middle), onBad);
  return {
    written: first.written + second.written,
    again: [...first.again, ...second.again],
    failure: first.failure ?? second.failure,
  };
}
