import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emptyState } from '../../core/raft/bootstrap.ts';
import { type Entry, type PersistedState, toIndex, toTerm } from '../../core/raft/types.ts';
import type { RaftStore, RaftWork } from './raft-store.ts';
import { command, intactState, recordsNeeded, recordsOf, snapshotAt, TestDisk } from './testing.ts';

/**
 * Random work and crashes on the store and on a dumb model of it: after a crash the store holds one of the states
 * that the model went through since the last one that was promised, and nothing else is on the disk.
 */
type Step =
  | { readonly type: 'append'; readonly back: number; readonly count: number; readonly newTerm: boolean }
  | { readonly type: 'commit'; readonly count: number }
  | { readonly type: 'install'; readonly ahead: number; readonly bytes: number; readonly entries: number }
  | { readonly type: 'save'; readonly behind: number; readonly kept: number; readonly bytes: number };

/** Steps that overlap, a snapshot being saved beside the others, and after how many turns the power fails. */
type Life = { readonly steps: readonly Step[]; readonly turnsToCrash: number | undefined };

const small = fc.nat({ max: 4 });
const bytes = fc.nat({ max: 350 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      back: small,
      count: small,
      newTerm: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('commit' as const), count: small }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('install' as const), ahead: small, bytes, entries: small }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('save' as const), behind: small, kept: small, bytes }),
  },
);
const life: fc.Arbitrary<Life> = fc.record({
  steps: fc.array(step, { maxLength: 12 }),
  turnsToCrash: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
});

test('RaftStore holds what a dumb model holds, through any work and crashes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(life, { minLength: 1, maxLength: 5 }), async (seed, lives) => {
      const disk = new TestDisk(seed);
      let store = await disk.create(emptyState());
      let state = emptyState();
      for (const each of lives) {
        const possible = await liveAndCrash(disk, store, state, each);
        store = disk.open();
        state = intactState(await store.load());
        const found = possible.findIndex((one) => isSame(one, state));
        assert.ok(found >= 0, `none of ${possible.length} states: ${JSON.stringify(state)}`);
        assert.equal((await recordsOf(disk.engine)).length, recordsNeeded(state));
      }
    }),
    { numRuns: 400 },
  );
});

/** Runs the steps until the power fails; returns the states of which one must be there afterwards. */
async function liveAndCrash(
  disk: TestDisk,
  store: RaftStore,
  before: PersistedState,
  { steps, turnsToCrash }: Life,
): Promise<readonly PersistedState[]> {
  const model = new Model(before);
  const end = { isCrashed: false };
  const running = run(store, model, steps, end);
  if (turnsToCrash === undefined) await running;
  else for (let i = 0; i < turnsToCrash; i++) await Promise.resolve();
  end.isCrashed = true;
  disk.crash();
  await running.catch(() => undefined);
  return model.possible();
}

async function run(
  store: RaftStore,
  model: Model,
  steps: readonly Step[],
  end: { readonly isCrashed: boolean },
): Promise<void> {
  let saving: Promise<void> = Promise.resolve();
  for (const each of steps) {
    if (end.isCrashed) return;
    if (each.type === 'save') {
      await saving;
      saving = model.save(each, store);
      saving.catch(() => undefined);
    } else {
      const { work, sync } = model.workOf(each);
      model.begin(work);
      await store.persist(work, { sync });
      if (!end.isCrashed && sync) model.promise();
    }
  }
  await saving;
}

type SnapshotToSave = { readonly snapshot: PersistedState['snapshot']; readonly keepFrom: number };

class Model {
  /** The last state that was promised, and those after it. */
  #states: PersistedState[];
  /** Snapshots that were saved or are being saved since; each may be there or not where it was not promised. */
  #maybeSaved: SnapshotToSave | undefined;

  constructor(state: PersistedState) {
    this.#states = [state];
  }

  get #now(): PersistedState {
    return this.#states.at(-1) as PersistedState;
  }

  begin(work: RaftWork): void {
    this.#states.push(applyWork(this.#now, work));
  }

  promise(): void {
    this.#states = [this.#now];
  }

  async save({ behind, kept, bytes: length }: Extract<Step, { type: 'save' }>, store: RaftStore) {
    const { snapshot, entries, hardState } = this.#now;
    const index = Math.max(snapshot.index, hardState.commit - behind);
    const term = entries.find((entry) => entry.index === index)?.term;
    if (index === snapshot.index || term === undefined) return;
    const save = { snapshot: snapshotAt(index, term, length), keepFrom: Math.max(1, index + 1 - kept) };
    this.#maybeSaved = save;
    await store.saveSnapshot(save.snapshot, toIndex(save.keepFrom));
    // Its sync covers whatever was written before it.
    this.#states = this.#states.map((state) => applySave(state, save));
    this.#maybeSaved = undefined;
  }

  possible(): readonly PersistedState[] {
    const save = this.#maybeSaved;
    if (save === undefined) return this.#states;
    return this.#states.flatMap((state) => [state, applySave(state, save)]);
  }

  workOf(each: Exclude<Step, { type: 'save' }>): { readonly work: RaftWork; readonly sync: boolean } {
    const { hardState, snapshot, entries } = this.#now;
    const last = entries.at(-1)?.index ?? snapshot.index;
    switch (each.type) {
      case 'append': {
        const term = toTerm(hardState.term + (each.newTerm ? 1 : 0));
        const first = Math.max(hardState.commit, last - each.back, snapshot.index) + 1;
        return {
          work: {
            snapshot: undefined,
            entries: entriesFrom(first, each.count, Math.max(1, term)),
            hardState: { ...hardState, term: toTerm(Math.max(1, term)), vote: 1 },
          },
          sync: true,
        };
      }
      case 'commit': {
        const commit = toIndex(Math.min(last, hardState.commit + each.count));
        return {
          work: { snapshot: undefined, entries: [], hardState: { ...hardState, commit } },
          sync: false,
        };
      }
      case 'install': {
        const term = toTerm(hardState.term + 1);
        const index = toIndex(hardState.commit + 1 + each.ahead);
        return {
          work: {
            snapshot: snapshotAt(index, term, each.bytes),
            entries: entriesFrom(index + 1, each.entries, term),
            hardState: { term, vote: undefined, commit: index },
          },
          sync: true,
        };
      }
    }
  }
}

function entriesFrom(first: number, count: number, term: number): Entry[] {
  return Array.from({ length: count }, (_, i) => command(first + i, term, (first + i) % 40));
}

function applyWork(state: PersistedState, { snapshot, entries, hardState }: RaftWork): PersistedState {
  const log = snapshot === undefined ? state.entries : [];
  const first = entries[0]?.index;
  const kept = first === undefined ? log : log.filter((entry) => entry.index < first);
  return {
    hardState: hardState ?? state.hardState,
    snapshot: snapshot ?? state.snapshot,
    entries: [...kept, ...entries],
    applied: (snapshot ?? state.snapshot).index,
  };
}

function applySave(state: PersistedState, { snapshot, keepFrom }: SnapshotToSave): PersistedState {
  if (snapshot.index <= state.snapshot.index) return state;
  const entries = state.entries.filter((entry) => entry.index >= keepFrom);
  return { ...state, snapshot, entries, applied: snapshot.index };
}

function isSame(a: PersistedState, b: PersistedState): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
