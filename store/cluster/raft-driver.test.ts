import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../core/raft/messages.ts';
import { RAFT_DEFAULTS } from '../core/raft/options.ts';
import {
  type Entry,
  type LogIndex,
  type PersistedState,
  type Snapshot,
  toIndex,
  toTerm,
} from '../core/raft/types.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { createSimRandom } from '../sim/sim-random.ts';
import type { RaftStore, RaftWork } from '../storage/raft-store/raft-store.ts';
import { RaftDriver } from './raft-driver.ts';

const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };
const at = (index: number, term = 1) => ({ index: toIndex(index), term: toTerm(term) });
const persisted: PersistedState = {
  hardState: { term: toTerm(1), vote: undefined, commit: toIndex(1) },
  snapshot: { ...at(1), configuration, data: Uint8Array.of(1) },
  entries: [],
  applied: toIndex(1),
};
const command = (index: number): Entry => ({ type: 'command', ...at(index), data: Uint8Array.of(index) });

/** A disk on which a write waits until it is let go on; it keeps what it was asked to write. */
class GatedStore implements RaftStore {
  readonly written: RaftWork[] = [];
  readonly saved: LogIndex[] = [];
  isGated = false;
  #waiting: (() => void)[] = [];

  async load(): Promise<never> {
    throw new Error('the driver is given what was loaded');
  }

  async persist(work: RaftWork): Promise<void> {
    this.written.push(work);
    if (this.isGated) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async saveSnapshot({ index }: Snapshot): Promise<void> {
    this.saved.push(index);
  }

  open(): void {
    this.isGated = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function follower(snapshotEntries: number) {
  const store = new GatedStore();
  const applied: number[] = [];
  const sent: Message[] = [];
  const failures: unknown[] = [];
  const driver = new RaftDriver<undefined>(
    {
      raft: { ...RAFT_DEFAULTS, id: 2, incarnation: 1 },
      tickMs: 100,
      snapshotEntries,
      entriesKept: 0,
    },
    {
      clock: new SimClock(),
      random: createSimRandom(1),
      store,
      persisted,
      machine: {
        apply: ({ index }) => void applied.push(index),
        restore: ({ index }) => void applied.push(-index),
        snapshot: () => Uint8Array.of(0),
      },
      send: (message) => sent.push(message),
      onProgress() {},
      onFailed: (error) => failures.push(error),
    },
  );
  const step = (message: object): void =>
    driver.step({ from: 1, to: 2, term: toTerm(1), ...message } as unknown as Message);
  return { driver, store, applied, sent, failures, step };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

test('RaftDriver answers an append only once it is on the disk', async () => {
  const { store, sent, step } = follower(100);
  store.isGated = true;
  step({ type: 'append', previous: at(1), entries: [command(2)], commit: toIndex(1) });
  await settle();
  assert.deepEqual([store.written.length, sent.length], [1, 0]);
  store.open();
  await settle();
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['append-response'],
  );
});

test('RaftDriver applies what is committed without a write of its own; the next one takes the commit index with it', async () => {
  const { store, applied, step } = follower(100);
  step({ type: 'append', previous: at(1), entries: [command(2)], commit: toIndex(1) });
  await settle();
  step({ type: 'heartbeat', commit: toIndex(2), round: 0 });
  await settle();
  assert.deepEqual([store.written.length, applied], [1, [-1, 2]]);
  step({ type: 'append', previous: at(2), entries: [command(3)], commit: toIndex(2) });
  await settle();
  assert.equal(store.written[1]?.hardState?.commit, 2);
});

test('RaftDriver stops with the commit index written', async () => {
  const { driver, store, step } = follower(100);
  step({ type: 'append', previous: at(1), entries: [command(2)], commit: toIndex(1) });
  await settle();
  step({ type: 'heartbeat', commit: toIndex(2), round: 0 });
  await settle();
  await driver.stop();
  assert.equal(store.written.at(-1)?.hardState?.commit, 2);
});

test("RaftDriver takes a leader's snapshot that arrives while it writes one of its own", async () => {
  const { store, applied, failures, step } = follower(2);
  step({ type: 'append', previous: at(1), entries: [command(2), command(3)], commit: toIndex(1) });
  await settle();
  store.isGated = true;
  step({ type: 'heartbeat', commit: toIndex(3), round: 0 });
  await settle();
  assert.deepEqual(
    [applied, store.saved],
    [[-1, 2, 3], []],
    'it is about to take one, and the disk is at work',
  );
  const meta = { ...at(9), configuration };
  step({ type: 'snapshot', meta, offset: 0, bytesTotal: 1, data: Uint8Array.of(9) });
  store.open();
  await settle();
  assert.deepEqual(failures, []);
  assert.deepEqual([applied.at(-1), store.saved], [-9, [3]]);
});

test("RaftDriver takes no snapshot of what a leader's snapshot has overtaken", async () => {
  const { store, applied, failures, step } = follower(2);
  step({ type: 'append', previous: at(1), entries: [command(2), command(3)], commit: toIndex(1) });
  await settle();
  store.isGated = true;
  step({ type: 'append', previous: at(3), entries: [command(4)], commit: toIndex(3) });
  await settle();
  assert.deepEqual(applied, [-1], 'the disk is at work, and nothing is applied yet');
  const meta = { ...at(9), configuration };
  step({ type: 'snapshot', meta, offset: 0, bytesTotal: 1, data: Uint8Array.of(9) });
  store.open();
  await settle();
  assert.deepEqual([failures, applied, store.saved], [[], [-1, 2, 3, -9], []]);
});
