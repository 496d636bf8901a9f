import { type Entry, type LogIndex, plus } from '../../core/raft/types.ts';
import { asBuffer } from '../checksum.ts';
import type { EngineView } from '../engine.ts';
import { rangeAfter } from '../key-layout.ts';
import { indexOfKey, type RaftKeys } from './raft-keys.ts';
import { type Bounds, DamagedRecord, readEntry } from './raft-records.ts';

export type ScannedEntries = {
  /** From the first on, up to the first problem. */
  readonly entries: readonly Entry[];
  /** The first entry within the bounds that is missing or damaged. */
  readonly problem: string | undefined;
  readonly lastSeen: LogIndex | undefined;
  /** Entries that lie before and behind the bounds. */
  readonly beforeStart: number;
  readonly behindEnd: number;
};

const PAGE = { entriesMax: 1000, bytesMax: 4 << 20 };

/** Reads the entries within `bounds`; where those are unknown, as many as follow each other from the first one on. */
export async function scanEntries(
  view: EngineView,
  keys: RaftKeys,
  bounds: Bounds | undefined,
): Promise<ScannedEntries> {
  const scan = new EntryScan(bounds);
  let range = keys.entries;
  for (;;) {
    const { entries, done } = await view.page(range, PAGE);
    for (const { key, value } of entries) scan.take(asBuffer(key), value);
    const last = entries.at(-1);
    if (done) return scan.end();
    // A page that is not the last and has nothing breaks the engine's contract: no end of data (R27).
    if (last === undefined) throw new Error('the engine returned an empty page of the Raft log');
    range = rangeAfter(range, last.key, false);
  }
}

class EntryScan {
  readonly #bounds: Bounds | undefined;
  readonly #entries: Entry[] = [];
  #next: LogIndex | undefined;
  #problem: string | undefined;
  #lastSeen: LogIndex | undefined;
  #beforeStart = 0;
  #behindEnd = 0;

  constructor(bounds: Bounds | undefined) {
    this.#bounds = bounds;
    this.#next = bounds?.first;
  }

  take(key: Buffer, value: Uint8Array): void {
    const index = indexOfKey(key);
    this.#lastSeen = index;
    if (this.#bounds !== undefined && index < this.#bounds.first) this.#beforeStart++;
    else if (this.#bounds !== undefined && index > this.#bounds.last) this.#behindEnd++;
    else if (this.#problem === undefined) this.#takeNext(key, index, value);
  }

  end(): ScannedEntries {
    const next = this.#next;
    if (this.#problem === undefined && this.#bounds && next !== undefined && next <= this.#bounds.last)
      this.#problem = `entry ${next} is missing`;
    return {
      entries: this.#entries,
      problem: this.#problem,
      lastSeen: this.#lastSeen,
      beforeStart: this.#beforeStart,
      behindEnd: this.#behindEnd,
    };
  }

  #takeNext(key: Buffer, index: LogIndex, value: Uint8Array): void {
    const expected = this.#next ?? index;
    if (index !== expected) {
      this.#problem = `entry ${expected} is missing`;
      return;
    }
    try {
      this.#entries.push(readEntry(key, index, value));
      this.#next = plus(index, 1);
    } catch (error) {
      if (!(error instanceof DamagedRecord)) throw error;
      this.#problem = error.message;
    }
  }
}
