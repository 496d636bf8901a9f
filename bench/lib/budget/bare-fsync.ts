import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';

/** About what a put of 256 bytes adds to a log. */
export const FSYNC_BYTES = 400;
const TIMES = 300;
const LOG_BYTES = 1 << 20;

/** Microseconds of each of many writes at the end of a file that is as long as it gets already, synced. */
export function bareFsync(directory: string): readonly number[] {
  const file = openSync(`${directory}/fsync-probe`, 'w');
  try {
    writeSync(file, new Uint8Array(LOG_BYTES));
    fdatasyncSync(file);
    const piece = new Uint8Array(FSYNC_BYTES);
    return Array.from({ length: TIMES }, (_, i) => {
      const startMs = performance.now();
      writeSync(file, piece, 0, FSYNC_BYTES, i * FSYNC_BYTES);
      fdatasyncSync(file);
      return 1000 * (performance.now() - startMs);
    });
  } finally {
    closeSync(file);
  }
}
