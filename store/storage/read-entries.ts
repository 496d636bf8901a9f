import { ByteBuilder } from '../core/bytes/byte-builder.ts';
import type { Engine, EntriesRead, KeyRange } from './engine.ts';
import { rangeAfter } from './key-layout.ts';
import { packEntry } from './packed-entries.ts';

/** Of what is read at once: it is garbage before the collector takes it for something that stays. */
const STEP_ENTRIES_MAX = 128;

/** `Engine.readEntries` by way of a view: for an engine that has no quicker one. */
export async function readEntriesByView(
  engine: Pick<Engine, 'openView'>,
  range: KeyRange,
  bytesMax: number,
): Promise<EntriesRead> {
  await using view = engine.openView({ reverse: false });
  const packed = ByteBuilder.idle();
  for (let [left, bytes] = [range, 0]; ; ) {
    const { entries, done } = await view.page(left, {
      entriesMax: STEP_ENTRIES_MAX,
      bytesMax: bytesMax - bytes,
    });
    for (const { key, value } of entries) {
      packEntry(packed, key, value);
      bytes += key.length + value.length;
    }
    const last = entries.at(-1)?.key;
    if (done || last === undefined) return { packed: packed.takeLast(), last: undefined };
    if (bytes > bytesMax) return { packed: packed.takeLast(), last };
    left = rangeAfter(left, last, false);
  }
}
