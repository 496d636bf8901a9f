import type { Clock, Timer } from '../ports/clock.ts';
import type { Engine, EngineOperation, KeyRange } from './engine.ts';
import { expiredRange, indexedDataKey, TOMBSTONE_RANGE, userKeyOf } from './key-layout.ts';
import { decodeRecord, isLive } from './record.ts';
import type { WriteTracker } from './write-tracker.ts';

/**
 * Removes expired records and tombstones in the background, at a bounded rate. Readers never depend on it: what is
 * expired or deleted is invisible at once. On a node that is alone, every replica of a tombstone is proven to hold
 * it as soon as it is durable.
 */
export type Reaper = {
  /** One round now; the number of index entries that it settled. */
  runOnce(): Promise<number>;
  stop(): Promise<void>;
};

export type ReaperOptions = { readonly intervalMs: number; readonly entriesPerRoundMax: number };

export type ReaperDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly tracker: WriteTracker;
  onReaped(records: number): void;
  onError(error: unknown): void;
};

export function startReaper(options: ReaperOptions, deps: ReaperDeps): Reaper {
  let isStopped = false;
  let timer: Timer | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const runOnce = async (): Promise<number> => {
    const expired = await reapIndex(deps, expiredRange(deps.clock.nowMs()), options.entriesPerRoundMax);
    const deleted = await reapIndex(deps, TOMBSTONE_RANGE, options.entriesPerRoundMax);
    return expired + deleted;
  };
  const schedule = (): void => {
    if (isStopped) return;
    timer = deps.clock.setTimer(options.intervalMs, () => {
      running = runOnce().catch(deps.onError).then(schedule);
    });
  };
  schedule();

  return {
    runOnce,
    async stop() {
      isStopped = true;
      timer?.cancel();
      await running;
    },
  };
}

async function reapIndex(deps: ReaperDeps, range: KeyRange, entriesMax: number): Promise<number> {
  const indexKeys = await readIndex(deps.engine, range, entriesMax);
  if (indexKeys.length === 0) return 0;
  const dataKeys = indexKeys.map(indexedDataKey);
  // Writes issued before `watch` may still be on their way to the engine, and would be deleted unseen: wait for them.
  using watch = deps.tracker.watch(dataKeys);
  await deps.tracker.drained();
  const records = await deps.engine.getMany(dataKeys);
  const nowMs = deps.clock.nowMs();
  const batch: EngineOperation[] = [];
  let reaped = 0;
  for (const [i, key] of dataKeys.entries()) {
    if (watch.wasWritten(key)) continue; // its index entry is judged again in the next round
    batch.push({ type: 'delete', key: indexKeys[i] as Uint8Array });
    const stored = records[i];
    if (stored === undefined || isLive(decodeRecord(key, stored, userKeyOf(key)), nowMs)) continue;
    batch.push({ type: 'delete', key });
    reaped += 1;
  }
  if (batch.length > 0) await deps.engine.write(batch, { sync: true });
  deps.onReaped(reaped);
  return indexKeys.length;
}

async function readIndex(engine: Engine, range: KeyRange, entriesMax: number): Promise<Uint8Array[]> {
  await using view = engine.openView({ reverse: false });
  const page = await view.page(range, { entriesMax, bytesMax: 1 << 20 });
  return page.entries.map((entry) => Uint8Array.from(entry.key));
}
