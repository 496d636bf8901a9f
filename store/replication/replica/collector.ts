import type { Engine, EngineOperation, KeyRange } from '../../storage/engine.ts';
import { indexedDataKey } from '../../storage/key-layout.ts';
import { keyName } from '../../storage/key-name.ts';
import type { NamespaceStates } from '../../storage/namespaces.ts';
import type { Gate } from './gate.ts';
import { indexKeyOf } from './held.ts';
import { isCollectable } from './judge-store.ts';
import type { KeyInspector } from './key-inspector.ts';
import type { KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf, pagesOf, tombstoneRange } from './ranges.ts';
import type { KeyChange, Writer } from './writer.ts';

export type CollectorDeps = {
  readonly engine: Engine;
  readonly table: KeyTable;
  readonly inspector: KeyInspector;
  readonly writer: Writer;
  readonly gate: Gate;
  readonly namespaces: NamespaceStates;
};

/** What an index entry came to: its record goes, only the entry goes (it names another record), or nothing does. */
type Verdict = 'remove' | 'stale' | 'stays';

type Candidate = { readonly indexKey: Uint8Array; readonly storedKey: Uint8Array; readonly state: KeyState };

/** Records that are looked up at a time: their values, of up to 8 MiB each, are in memory together. */
const AT_ONCE = 8;

/**
 * Removes what every replica is proven to hold: tombstones, and expired records, at or below the watermark. The record is
 * judged by the table in the very turn in which its removal is issued, so that no newer one is ever hit.
 */
export class Collector {
  readonly #deps: CollectorDeps;

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  /** Resolves with how many records were removed; at most `recordsMax`. */
  async collectTombstones(partition: PartitionState, recordsMax: number): Promise<number> {
    await using view = this.#deps.engine.openView({ reverse: false });
    const range: KeyRange = tombstoneRange(partition.number, partition.watermark);
    let removed = 0;
    for await (const entries of pagesOf(view, range, { entriesMax: 256, bytesMax: 1 << 20 })) {
      for (let at = 0; at < entries.length && removed < recordsMax; ) {
        const some = entries.slice(at, at + Math.min(AT_ONCE, recordsMax - removed));
        removed += await this.settle(
          partition,
          some.map(({ key }) => Uint8Array.from(key)),
        );
        at += some.length;
      }
      if (removed >= recordsMax || !partition.isServing) break;
    }
    return removed;
  }

  /** Judges and settles index entries of one partition; resolves with how many records were removed, durably. */
  async settle(partition: PartitionState, indexKeys: readonly Uint8Array[]): Promise<number> {
    const { table, inspector } = this.#deps;
    const candidates = indexKeys.map((indexKey) => this.#candidate(partition, indexKey));
    try {
      await Promise.all(candidates.map(({ state, storedKey }) => inspector.known(state, storedKey)));
      return await this.#issue(partition, candidates);
    } finally {
      for (const { state } of candidates) table.release(state);
    }
  }

  #candidate(partition: PartitionState, indexKey: Uint8Array): Candidate {
    const storedKey = indexedDataKey(indexKey);
    const { namespaceId, key } = addressOf(storedKey);
    const state = this.#deps.table.acquire(storedKey, partition, { namespaceId, key });
    return { indexKey, storedKey, state };
  }

  /** Judges and issues in one turn. */
  #issue(partition: PartitionState, candidates: readonly Candidate[]): Promise<number> {
    if (this.#deps.gate.isClosed || !partition.isServing) return Promise.resolve(0);
    const operations: EngineOperation[] = [];
    const removed: KeyState[] = [];
    for (const candidate of candidates) {
      const verdict = this.#judge(partition, candidate);
      if (verdict === 'stays') continue;
      operations.push({ type: 'delete', key: candidate.indexKey });
      if (verdict === 'stale') continue;
      operations.push({ type: 'delete', key: candidate.storedKey });
      removed.push(candidate.state);
    }
    if (operations.length === 0) return Promise.resolve(0);
    return this.#write(operations, removed);
  }

  async #write(operations: readonly EngineOperation[], removed: readonly KeyState[]): Promise<number> {
    if (removed.length === 0) {
      await this.#deps.engine.write(operations, { sync: true });
      return 0;
    }
    await removeAll(this.#deps.writer, operations, removed);
    return removed.length;
  }

  #judge(partition: PartitionState, { indexKey, storedKey, state }: Candidate): Verdict {
    const address = addressOf(storedKey);
    if (state.isDamaged || state.isChanging) return 'stays';
    const { durable } = state;
    switch (this.#deps.namespaces.stateOf(address.namespaceId)) {
      case 'unknown':
        return 'stays';
      case 'dropped':
        // Its records are removed as a whole; an entry without one would stay for ever.
        return durable === undefined ? 'stale' : 'stays';
      case 'served': {
        if (durable === undefined) return 'stale';
        const own = indexKeyOf(address, durable);
        if (own === undefined || keyName(own) !== keyName(indexKey)) return 'stale';
        return isCollectable(durable, partition.watermark) ? 'remove' : 'stays';
      }
    }
  }
}

/** Resolves once the records of `states` are durably gone; `operations` say how. */
export function removeAll(
  writer: Writer,
  operations: readonly EngineOperation[],
  states: readonly KeyState[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiter = (failure: Error | undefined): void => {
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const last = states.length - 1;
    const changes = states.map(
      (state, i): KeyChange =>
        i === last ? { state, after: undefined, waiter } : { state, after: undefined },
    );
    writer.issue(changes, operations, 0);
  });
}
