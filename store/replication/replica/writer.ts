import type { Engine, EngineOperation } from '../../storage/engine.ts';
import type { Held } from './held.ts';
import type { Change, KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import type { PageUnderWay } from './page-under-way.ts';
import type { RecordCache } from './record-cache.ts';

export type WriterOptions = { readonly writeBacklogBytesMax: number };

export type WriterDeps = {
  readonly engine: Engine;
  readonly table: KeyTable;
  readonly records: RecordCache;
  /** The record that was damaged is overwritten, or gone. */
  onHealed(state: KeyState): void;
};

/** `after` undefined: the record is removed. */
export type KeyChange = {
  readonly state: KeyState;
  readonly after: Held | undefined;
  /** As it is stored, where it is worth remembering. */
  readonly record?: Uint8Array;
  readonly waiter?: (failure: Error | undefined) => void;
};

/** `last`: its highest key. */
export type PageChange = {
  readonly page: PageUnderWay;
  readonly last: Uint8Array;
  waiter(failure: Error | undefined): void;
};

const SYNC = { sync: true };

/**
 * The only way to the records of the engine. What is issued in one turn with the decision about it takes effect in that
 * order; table and tree follow in the turn in which it is known to be durable.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #deps: WriterDeps;
  #backlogBytes = 0;
  #failure: Error | undefined;

  constructor(options: WriterOptions, deps: WriterDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The first write that failed: the engine takes no other after it. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Alone any write is taken: one above the limit would be refused for ever. */
  hasRoomFor(bytes: number): boolean {
    return this.#backlogBytes === 0 || this.#backlogBytes + bytes <= this.#options.writeBacklogBytesMax;
  }

  /** One batch for all `changes`, which are of one partition; each state stays in use until it is settled. */
  issue(changes: readonly KeyChange[], operations: readonly EngineOperation[], bytes: number): void {
    const issued = changes.map((change) => this.#begin(change));
    this.#backlogBytes += bytes;
    this.#deps.engine.submit(operations, SYNC, (failure) => {
      this.#backlogBytes -= bytes;
      if (failure !== undefined) {
        this.#fail(changes, issued, failure);
        return;
      }
      for (const change of changes) {
        this.#settle(change);
        change.state.partition.noteSettled();
      }
    });
  }

  /** The batch of a page whose keys nobody has asked for; the partition has no other page under way. */
  issuePage({ page, last, waiter }: PageChange, operations: readonly EngineOperation[], bytes: number): void {
    const { partition } = page;
    partition.notePageIssued(page, last);
    this.#backlogBytes += bytes;
    this.#deps.engine.submit(operations, SYNC, (failure) => {
      this.#backlogBytes -= bytes;
      if (failure === undefined) {
        partition.page = undefined;
        page.addToTree();
        for (const { state } of page.taken) this.#settle({ state });
      } else
        this.#fail(
          [],
          Array.from(page.taken, ({ change }) => change),
          failure,
        );
      partition.noteSettled();
      waiter(failure);
    });
  }

  #begin({ state, after, waiter }: KeyChange): Change {
    const change = { after, waiters: waiter === undefined ? [] : [waiter], next: undefined };
    state.users += 1;
    state.push(change);
    state.partition.changing.add(state);
    state.partition.noteIssued();
    return change;
  }

  #settle({ state, record }: Pick<KeyChange, 'state' | 'record'>): void {
    const { partition } = state;
    const { after, waiters } = state.shift();
    partition.tree.update(state, state.durable, after);
    state.durable = after;
    if (record !== undefined) this.#deps.records.keep(state, record);
    if (state.isDamaged) {
      state.isDamaged = false;
      this.#deps.onHealed(state);
    }
    if (!state.isChanging) partition.changing.delete(state);
    this.#deps.table.release(state);
    for (const waiter of waiters) waiter(undefined);
  }

  /** What was not written stays a change that never settles: nobody may think that the key holds less or more. */
  #fail(changes: readonly KeyChange[], issued: readonly Change[], error: Error): void {
    this.#failure ??= error;
    for (const change of issued) for (const waiter of change.waiters) waiter(error);
    for (const { state } of changes) state.partition.noteSettled();
  }
}
