import type { Clock, Timer } from '../ports/clock.ts';
import type { Engine, EngineOperation, KeyRange } from './engine.ts';
import { KvError } from './errors.ts';
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
    // One time for the choice of entries and the judgement of records: were the clock set back in between, an
    // expired record would look alive, and lose the entry by which it is found.
    const nowMs = deps.clock.nowMs();
    const expired = await reapIndex(deps, expiredRange(nowMs), options.entriesPerRoundMax, nowMs);
    const deleted = await reapIndex(deps, TOMBSTONE_RANGE, options.entriesPerRoundMax, nowMs);
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

async function reapIndex(
  deps: ReaperDeps,
  range: KeyRange,
  entriesMax: number,
  nowMs: number,
): Promise<number> {
  const indexKeys = await readIndex(deps.engine, range, entriesMax);
  if (indexKeys.length === 0) return 0;
  const dataKeys = indexKeys.map(indexedDataKey);
  // Writes issued before `watch` may still be on their way to the engine, and would be deleted unseen: wait for them.
  using watch = deps.tracker.watch(dataKeys);
  await deps.tracker.drained();
  const verdicts = await judge(deps, dataKeys, nowMs);
  const batch: EngineOperation[] = [];
  let reaped = 0;
  for (const [i, key] of dataKeys.entries()) {
    // What was written meanwhile, or cannot be read now, is judged again in the next round.
    if (watch.wasWritten(key) || verdicts[i] === 'unread') continue;
    batch.push({ type: 'delete', key: indexKeys[i] as Uint8Array });
    if (verdicts[i] === 'stays') continue;
    batch.push({ type: 'delete', key });
    reaped += 1;
  }
  if (batch.length > 0) await deps.engine.write(batch, { sync: true });
  deps.onReaped(reaped);
  return indexKeys.length;
}

/** Records that are read at a time: their values, of up to 8 MiB each, are in memory together. */
const JUDGED_AT_ONCE = 8;

/** Of the record that an index entry names: `stays` also where there is none. */
type Verdict = 'dead' | 'stays' | 'unread';

async function judge(deps: ReaperDeps, dataKeys: readonly Uint8Array[], nowMs: number): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (let at = 0; at < dataKeys.length; at += JUDGED_AT_ONCE) {
    const keys = dataKeys.slice(at, at + JUDGED_AT_ONCE);
    verdicts.push(...(await Promise.all(keys.map((key) => judgeOne(deps, key, nowMs)))));
  }
  return verdicts;
}

/** One damaged record or block must not stop the others: it is reported. */
async function judgeOne(deps: ReaperDeps, key: Uint8Array, nowMs: number): Promise<Verdict> {
  try {
    const stored = await deps.engine.get(key);
    if (stored === undefined) return 'stays';
    return isLive(decodeRecord(key, stored, userKeyOf(key)), nowMs) ? 'stays' : 'dead';
  } catch (error) {
    deps.onError(error);
    // A damaged record is an error to its readers until it is written again, and nothing to find again here.
    return error instanceof KvError ? 'stays' : 'unread';
  }
}

async function readIndex(engine: Engine, range: KeyRange, entriesMax: number): Promise<Uint8Array[]> {
  await using view = engine.openView({ reverse: false });
  const page = await view.page(range, { entriesMax, bytesMax: 1 << 20 });
  return page.entries.map((entry) => Uint8Array.from(entry.key));
}
