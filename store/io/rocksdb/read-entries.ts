import { ByteBuilder } from '../../core/bytes/byte-builder.ts';
import { compareBytes } from '../../core/bytes/bytes.ts';
import type { EntriesRead } from '../../storage/engine.ts';
import { packEntry } from '../../storage/packed-entries.ts';
import type { RocksBinding, RocksDatabase } from './binding.ts';
import type { EntriesRequest } from './worker-channel.ts';

/** Of one step, half a millisecond of a thread that others wait for. */
const STEP_ENTRIES_MAX = 512;
const STEP_BYTES_MAX = 128 * 1024;

/**
 * `Engine.readEntries` on the calling thread, which waits for the disk; it yields between its steps. An entry that crosses from the
 * package to JavaScript is two allocations there, which are cheap in a thread where nothing stays.
 */
export function* readEntries(
  binding: RocksBinding,
  database: RocksDatabase,
  { range: { start, end }, bytesMax }: EntriesRequest,
): Generator<void, EntriesRead, void> {
  const packed = ByteBuilder.idle();
  if (compareBytes(start, end) >= 0) return { packed: packed.takeLast(), last: undefined };
  const iterator = binding.iterator_init(database, {
    ...{ gte: start, lt: end, reverse: false, keyEncoding: 'buffer', valueEncoding: 'buffer' },
    ...{ fillCache: false, highWaterMarkBytes: Math.min(bytesMax, STEP_BYTES_MAX) },
  });
  try {
    for (let bytes = 0; ; ) {
      const { rows, finished } = binding.iterator_nextv_sync(iterator, STEP_ENTRIES_MAX);
      for (let i = 0; i < rows.length; i += 2) {
        const [key, value] = [rows[i] as Uint8Array, rows[i + 1] as Uint8Array];
        packEntry(packed, key, value);
        bytes += key.length + value.length;
        if (bytes > bytesMax) return { packed: packed.takeLast(), last: key };
      }
      if (finished) return { packed: packed.takeLast(), last: undefined };
      yield;
    }
  } finally {
    binding.iterator_close(iterator);
  }
}
