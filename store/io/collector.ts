import { setFlagsFromString } from 'node:v8';

/** In percent of what the last collection of the whole heap left: what V8 itself allows at most. */
const GROWTH_PERCENT = 300;

/**
 * Sets how V8 collects, for all threads of the process.
 *
 * Lets the heap, with what it refers to outside of itself, grow to four times what a collection left before the next one marks all of it.
 * V8 reckons that factor, from 1.1 to 4, from how fast memory is taken (src/heap/heap-controller.cc): a node through which
 * pages of the bulk pass takes it fast and was marked for each 32 MiB of them, an eighth of its processor time (`./dev.sh bench rebalance`). The limit of the
 * heap holds as before.
 *
 * Memory of buffers is freed by the thread that has taken it: freed by a helper thread meanwhile, both wait for the allocator, and
 * the thread that reads pages (io/rocksdb/read-entries.ts) took half as much processor again.
 */
export function setCollector(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
