import { compareBytes } from '../core/bytes/bytes.ts';
import { Heap } from '../core/heap/heap.ts';
import type { EngineEntry, EngineView, KeyRange, PageLimits } from './engine.ts';
import { rangeAfter, userKeyOf } from './key-layout.ts';

/**
 * Reads many partitions' ranges as one sequence in the order of the user's keys: a k-way merge over small buffers,
 * one per partition, all filled from one consistent view.
 */
export type MergedScan = {
  /** The next entry, or undefined at the end; a promise only where a buffer has to be filled first. */
  next(): EngineEntry | undefined | Promise<EngineEntry | undefined>;
};

/** A value above this is not kept in a buffer; it is read again, from the same view, when its turn comes. */
const BUFFERED_VALUE_BYTES_MAX = 16_384;
const BUFFER_BYTES_MAX = 32_768;

type Cursor = {
  range: KeyRange;
  entries: readonly EngineEntry[];
  position: number;
  isDone: boolean;
};

export async function openMergedScan(
  view: EngineView,
  ranges: readonly KeyRange[],
  options: { readonly reverse: boolean; readonly firstEntries: number; readonly moreEntries: number },
): Promise<MergedScan> {
  const { reverse } = options;
  const fill = async (cursor: Cursor, entriesMax: number): Promise<void> => {
    const limits: PageLimits = { entriesMax, bytesMax: BUFFER_BYTES_MAX };
    const page = await view.page(cursor.range, limits);
    const last = page.entries.at(-1);
    if (last !== undefined) cursor.range = rangeAfter(cursor.range, last.key, reverse);
    cursor.entries = page.entries.map(withoutLargeValue);
    cursor.position = 0;
    cursor.isDone = page.done;
  };

  const heap = new Heap<Cursor>((a, b) => {
    const order = compareBytes(userKeyOf(headOf(a).key), userKeyOf(headOf(b).key));
    return reverse ? order > 0 : order < 0;
  });
  for (const range of ranges) {
    const cursor: Cursor = { range, entries: [], position: 0, isDone: false };
    await fill(cursor, options.firstEntries);
    if (cursor.entries.length > 0) heap.push(cursor);
  }

  const refill = async (cursor: Cursor, head: EngineEntry): Promise<EngineEntry> => {
    await fill(cursor, options.moreEntries);
    if (cursor.entries.length > 0) heap.push(cursor);
    return head;
  };
  const advance = (cursor: Cursor, head: EngineEntry): EngineEntry | Promise<EngineEntry> => {
    cursor.position += 1;
    if (cursor.position < cursor.entries.length) heap.push(cursor);
    else if (!cursor.isDone) return refill(cursor, head);
    return head;
  };

  return {
    next() {
      const cursor = heap.pop();
      if (cursor === undefined) return undefined;
      const head = headOf(cursor);
      if (head.value !== LEFT_OUT) return advance(cursor, head);
      return readAgain(view, head.key).then((entry) => advance(cursor, entry));
    },
  };
}

const LEFT_OUT = new Uint8Array();

function withoutLargeValue(entry: EngineEntry): EngineEntry {
  if (entry.value.length <= BUFFERED_VALUE_BYTES_MAX) return entry;
  return { key: Uint8Array.from(entry.key), value: LEFT_OUT };
}

async function readAgain(view: EngineView, key: Uint8Array): Promise<EngineEntry> {
  const range = { start: key, end: Buffer.concat([key, Buffer.of(0)]) };
  const page = await view.page(range, { entriesMax: 1, bytesMax: Number.MAX_SAFE_INTEGER });
  const entry = page.entries[0];
  if (entry === undefined) throw new Error('a consistent view lost a key between two reads');
  return entry;
}

function headOf(cursor: Cursor): EngineEntry {
  return cursor.entries[cursor.position] as EngineEntry;
}
