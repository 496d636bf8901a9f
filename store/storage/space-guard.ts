import type { Clock } from '../ports/clock.ts';
import { KvError } from './errors.ts';

/**
 * Refuses writes before the disk is full, since a write that meets a full disk has failed for good. Puts need
 * `reserveBytes` free, deletes half of it: they are how an owner makes room.
 */
export type SpaceGuard = {
  /**
   * Throws KvError STORAGE_FULL where `bytes` more may not be written; false where only a new look at the disk can
   * tell, since what was admitted after the last one may or may not be on it.
   */
  admit(bytes: number, kind: 'put' | 'delete'): boolean;
  readonly state: SpaceState;
  /** Looks again now. */
  refresh(): Promise<void>;
  close(): void;
};

export type SpaceState = {
  readonly isFull: boolean;
  readonly freeBytes: number | undefined;
  readonly reserveBytes: number;
};

export type SpaceOptions = { readonly reserveBytes: number; readonly checkIntervalMs: number };

/** The log and its compaction write every byte more than once; what was admitted since the last look counts this often. */
const WRITE_AMPLIFICATION = 3;

export async function startSpaceGuard(
  options: SpaceOptions,
  deps: { readonly clock: Clock; freeBytes(): Promise<number | undefined> },
): Promise<SpaceGuard> {
  let freeBytes = await deps.freeBytes();
  let admittedBytes = 0;
  let refreshing: Promise<void> | undefined;
  let isClosed = false;
  /** Free bytes that the last refused put would have needed; 0 where none was refused since there was room. */
  let missedBytes = 0;

  const look = async (): Promise<void> => {
    const before = admittedBytes;
    freeBytes = await deps.freeBytes();
    admittedBytes -= before;
    if (left() >= missedBytes) missedBytes = 0;
  };
  const refresh = (): Promise<void> => {
    refreshing ??= look().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };
  const left = (): number => (freeBytes ?? Number.POSITIVE_INFINITY) - admittedBytes * WRITE_AMPLIFICATION;
  const poll = (): void => {
    if (isClosed) return;
    // A failed look leaves the last answer in force; the next one comes soon.
    refresh().then(schedule, schedule);
  };
  let timer = deps.clock.setTimer(options.checkIntervalMs, poll);
  function schedule(): void {
    if (!isClosed) timer = deps.clock.setTimer(options.checkIntervalMs, poll);
  }

  return {
    admit(bytes, kind) {
      const kept = kind === 'put' ? options.reserveBytes : options.reserveBytes / 2;
      const needed = kept + bytes * WRITE_AMPLIFICATION;
      if (left() < needed) {
        if (admittedBytes > 0 && (freeBytes ?? 0) >= needed) return false;
        if (kind === 'put') missedBytes = needed;
        throw full(left(), kept);
      }
      admittedBytes += bytes;
      return true;
    },
    get state() {
      return {
        isFull: left() < Math.max(options.reserveBytes, missedBytes),
        freeBytes,
        reserveBytes: options.reserveBytes,
      };
    },
    refresh,
    close() {
      isClosed = true;
      timer.cancel();
    },
  };
}

function full(leftBytes: number, neededBytes: number): KvError {
  return new KvError(
    'STORAGE_FULL',
    `the disk has ${Math.max(0, Math.floor(leftBytes))} bytes left, and ${neededBytes} are kept in reserve`,
    {
      freeBytes: Math.max(0, Math.floor(leftBytes)),
      reserveBytes: neededBytes,
    },
  );
}
