import type { MemberId } from '../../core/raft/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { Engine, KeyRange } from '../../storage/engine.ts';
import { KvError } from '../../storage/errors.ts';
import { HINT_RANGE, hintRange, rangeAfter, readHintKey } from '../../storage/key-layout.ts';
import type { SpaceGuard } from '../../storage/space-guard.ts';
import { type HintChange, type HintEffect, judgeBatch, type RemoveReason } from './hint-batch.ts';
import { decodeHint, type StoredHint } from './hint-codec.ts';
import type { HintEvents } from './hint-events.ts';
import { HintLedger } from './hint-ledger.ts';

export type HintLogDeps = {
  readonly engine: Engine;
  readonly space: Pick<SpaceGuard, 'admit' | 'refresh'>;
  readonly events: HintEvents;
};

/** `stored` is undefined where the hint is damaged. */
export type HintEntry = {
  readonly key: Uint8Array;
  readonly bytes: number;
  readonly stored: StoredHint | undefined;
};

type Change =
  | HintChange
  | { readonly type: 'drop-owner'; readonly owner: MemberId }
  /** Everything before it is done. */
  | { readonly type: 'barrier'; readonly pass: () => void };

/** Of one batch: the writes of clients, which share its fsync, must not wait long for hints. */
const BATCH_CHANGES_MAX = 1000;
const BATCH_BYTES_MAX = 1 << 20;
const PAGE = { entriesMax: 256, bytesMax: 1 << 20 };

/**
 * The hints in the engine. Changes are made one batch after the other, in the order of the calls, each judged against what
 * is there: so only the newest version per owner and key is kept, and a removal cannot hit a newer one.
 */
export class HintLog {
  readonly ledger = new HintLedger();
  readonly #deps: HintLogDeps;
  #queue: Change[] = [];
  #queuedBytes = 0;
  #isWorking = true;
  #hasFailed = false;

  /** Counts what is there first; what is asked for meanwhile waits. */
  constructor(deps: HintLogDeps) {
    this.#deps = deps;
    void this.#run(() => this.#load());
  }

  /** Of hints that wait for the disk. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  put(key: Uint8Array, value: Uint8Array, hint: StoredHint): void {
    this.#queuedBytes += key.length + value.length;
    this.#add({ type: 'put', key, value, hint });
  }

  /** Removes the hint unless a newer one has taken its place; `version` is undefined for a damaged one. */
  remove(key: Uint8Array, version: Version | undefined, why: RemoveReason): void {
    this.#add({ type: 'remove', key, version, why });
  }

  dropOwner(owner: MemberId): void {
    this.#add({ type: 'drop-owner', owner });
  }

  /** Resolves once everything asked for so far is done, or given up. */
  settled(): Promise<void> {
    return new Promise((pass) => {
      if (this.#hasFailed) pass();
      else this.#add({ type: 'barrier', pass });
    });
  }

  /** The next hints of `owner` after the key `after`, a few at a time; none at the end. */
  page(owner: MemberId, after: Uint8Array | undefined): Promise<readonly HintEntry[]> {
    const range = hintRange(owner);
    return this.#read(after === undefined ? range : rangeAfter(range, after, false));
  }

  async versionsAt(keys: readonly Uint8Array[]): Promise<readonly (Version | undefined)[]> {
    const values = await this.#deps.engine.getMany(keys);
    return values.map((value, i) => value && decodeHint(keys[i] as Uint8Array, value)?.version);
  }

  #add(change: Change): void {
    if (this.#hasFailed) return;
    this.#queue.push(change);
    if (!this.#isWorking) void this.#run(async () => {});
  }

  /** `begin`, then the queue until it is empty. A failure ends it for good: an engine that failed takes nothing more. */
  async #run(begin: () => Promise<void>): Promise<void> {
    this.#isWorking = true;
    try {
      // One turn later, so that what is kept in the same turn shares a batch.
      await Promise.resolve();
      await begin();
      while (this.#queue.length > 0) await this.#apply(this.#takeBatch());
    } catch (error) {
      this.#hasFailed = true;
      for (const change of this.#queue) if (change.type === 'barrier') change.pass();
      this.#queue = [];
      this.#queuedBytes = 0;
      this.#deps.events.onError(error);
    } finally {
      this.#isWorking = false;
    }
  }

  async #load(): Promise<void> {
    let range: KeyRange = HINT_RANGE;
    for (;;) {
      const entries = await this.#read(range);
      const last = entries.at(-1);
      if (last === undefined) return;
      for (const { key, bytes, stored } of entries) {
        this.ledger.add(readHintKey(key).owner, bytes, stored?.keptAtMs ?? Number.POSITIVE_INFINITY);
        if (stored === undefined) this.remove(key, undefined, 'corrupt');
      }
      range = rangeAfter(range, last.key, false);
    }
  }

  async #read(range: KeyRange): Promise<readonly HintEntry[]> {
    await using view = this.#deps.engine.openView({ reverse: false });
    const { entries } = await view.page(range, PAGE);
    return entries.map((entry) => {
      // Copies: an engine may take its memory back with the view.
      const key = Uint8Array.from(entry.key);
      const stored = decodeHint(key, Buffer.from(entry.value));
      return { key, bytes: key.length + entry.value.length, stored };
    });
  }

  /** Puts and removals share a batch; every other change is one of its own. */
  #takeBatch(): readonly Change[] {
    let bytes = 0;
    let count = 0;
    for (const change of this.#queue) {
      if (change.type === 'put') bytes += change.key.length + change.value.length;
      const isAlone = change.type === 'drop-owner' || change.type === 'barrier';
      if (count > 0 && (isAlone || count === BATCH_CHANGES_MAX || bytes > BATCH_BYTES_MAX)) break;
      count += 1;
      if (isAlone) break;
    }
    return this.#queue.splice(0, count);
  }

  async #apply(batch: readonly Change[]): Promise<void> {
    const admitted: HintChange[] = [];
    let refused = 0;
    for (const change of batch) {
      if (change.type === 'drop-owner') return this.#dropOwner(change.owner);
      if (change.type === 'barrier') return change.pass();
      const bytes = change.type === 'put' ? change.key.length + change.value.length : 0;
      this.#queuedBytes -= bytes;
      if (change.type === 'remove' || (await this.#admits(bytes))) admitted.push(change);
      else refused += 1;
    }
    if (refused > 0) this.#deps.events.onDropped('space', refused);
    if (admitted.length > 0) await this.#write(admitted);
  }

  /** Room that is kept for the writes of clients is not for hints. */
  async #admits(bytes: number): Promise<boolean> {
    const { space } = this.#deps;
    try {
      if (space.admit(bytes, 'put')) return true;
      await space.refresh();
      return space.admit(bytes, 'put');
    } catch (error) {
      if (error instanceof KvError && error.code === 'STORAGE_FULL') return false;
      throw error;
    }
  }

  async #write(changes: readonly HintChange[]): Promise<void> {
    const { engine, events } = this.#deps;
    const stored = await engine.getMany(changes.map(({ key }) => key));
    const { operations, effects, kept, removed } = judgeBatch(changes, stored);
    // A removal that a crash undoes is made again: the owner holds that version, or refuses it once more.
    const sync = operations.some(({ type }) => type === 'put');
    if (operations.length > 0) await engine.write(operations, { sync });
    for (const effect of effects) this.#count(effect);
    if (kept > 0) events.onKept(kept);
    for (const [why, hints] of removed) {
      if (why === 'replayed') events.onReplayed(hints);
      else events.onDropped(why, hints);
    }
  }

  #count({ key, bytesBefore, bytesAfter, keptAtMs }: HintEffect): void {
    const { owner } = readHintKey(key);
    // Added first: an owner whose only hint is replaced stays known, and keeps its oldest time.
    if (bytesAfter > 0) this.ledger.add(owner, bytesAfter, keptAtMs);
    if (bytesBefore > 0) this.ledger.remove(owner, bytesBefore);
  }

  async #dropOwner(owner: MemberId): Promise<void> {
    const hints = this.ledger.owners.get(owner)?.count ?? 0;
    if (hints === 0) return;
    await this.#deps.engine.write([{ type: 'delete-range', ...hintRange(owner) }], { sync: false });
    this.ledger.drop(owner);
    this.#deps.events.onDropped('owner-removed', hints);
  }
}
