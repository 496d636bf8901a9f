import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import { DEFAULT_SHAPE } from '../../core/merkle/tree-shape.ts';
import { toEpoch, toMoveSession } from '../../core/topology/types.ts';
import { packRecords } from '../../peer/bulk-page.ts';
import type { DataRequest } from '../../peer/data-messages.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import type { DataAsker } from '../exchange/data-asker.ts';
import { arrive } from './arrive.ts';
import { DEFAULT_MOVE_LIMITS, newBulkProgress, type TransferDeps } from './move-options.ts';
import { PartitionSizes } from './partition-sizes.ts';

const AT = { partition: 7, session: toMoveSession(3), epoch: toEpoch(3) };
const NEVER = new AbortController().signal;
const OPTIONS = { self: 4, limits: DEFAULT_MOVE_LIMITS };

/** A member whose disk has room for `roomBytes`; members but 1 say how large the partition is. */
function world(roomBytes: number) {
  const asked: string[] = [];
  const asker = {
    async ask(type: string, { to }: DataRequest) {
      asked.push(`${type} ${to}`);
      if (type !== 'report' || to === 1) return { type: 'failed', reason: 'TIMEOUT', epoch: undefined };
      const owned = [{ partition: AT.partition, entries: 1, bytes: 500 }];
      return { type: 'report', report: { received: [], owned, hints: [], freeBytes: 0 } };
    },
  } as unknown as DataAsker;
  const deps = {
    asker,
    sizes: new PartitionSizes({ clock: new SimClock(1_000_000), asker }),
    replica: { hasEntered: () => false },
    whyNoRoom: (_at: typeof AT, bytes: number) => (bytes > roomBytes ? `no room for ${bytes}` : undefined),
  } as unknown as TransferDeps;
  return { asked, deps };
}

test('nothing is taken of a partition for which there is no room, as large as a member of the set says that it is', async () => {
  const { asked, deps } = world(499);
  const arrived = await arrive(OPTIONS, deps, AT, [1, 2, 3], newBulkProgress(), NEVER);
  assert.deepEqual(arrived, { type: 'not-yet', reason: 'no room for 500' });
  assert.deepEqual(asked, ['report 1', 'report 2'], 'nobody was asked for promises');
});

test('with room it goes on, and asks what the set before promised', async () => {
  const { asked, deps } = world(500);
  const arrived = await arrive(OPTIONS, deps, AT, [1, 2, 3], newBulkProgress(), NEVER);
  assert.match(JSON.stringify(arrived), /0 of the set before answer under epoch 3/);
  assert.deepEqual(asked.slice(2), ['roots 1', 'roots 2', 'roots 3']);
});

test('a lost member of the set before, which never answers, holds nobody up: as many promises as are needed do', async () => {
  const promises: unknown[] = [];
  const version = (wallMs: number) => ({ wallMs, counter: 0, member: 1 });
  const taken = { floor: version(5), watermark: version(6) };
  const root = { state: 'ready', epoch: AT.epoch, ...taken };
  const deps = {
    asker: {
      async ask(type: string, { to }: DataRequest) {
        if (type !== 'roots') return { type: 'failed', reason: 'TIMEOUT', epoch: undefined };
        if (to === 3) return await new Promise(() => {});
        return { type: 'roots', roots: [root] };
      },
    },
    sizes: { of: async () => undefined },
    replica: {
      hasEntered: () => false,
      async enter(_partition: number, _session: number, found: { floor: unknown; watermark: unknown }) {
        promises.push({ floor: found.floor, watermark: found.watermark });
        return false;
      },
    },
  } as unknown as TransferDeps;
  const arrived = await arrive(OPTIONS, deps, AT, [1, 2, 3], newBulkProgress(), NEVER);
  assert.deepEqual(arrived, { type: 'not-yet', reason: 'the move has ended' });
  assert.deepEqual(promises, [taken]);
});

/** A member that has entered; `pages` are what its sources answer, in this order. */
function entered(pages: readonly ('page' | 'last' | 'failed')[]) {
  const asked: string[] = [];
  const left = [...pages];
  const key = (index: number) => ({ namespaceId: 1, key: Uint8Array.of(index) });
  const deps = {
    asker: {
      async ask(type: string, request: DataRequest & { readonly after?: { readonly key: Uint8Array } }) {
        asked.push(`${type} ${request.to} after ${request.after?.key[0] ?? 'nothing'}`);
        const next = type === 'bulk' ? left.shift() : 'failed';
        if (next === 'failed' || next === undefined)
          return { type: 'failed', reason: 'UNREACHABLE', epoch: undefined };
        const last = next === 'last' ? undefined : key(asked.length);
        return { type: 'bulk', records: packRecords(0, []), p99Ms: undefined, last };
      },
    },
    sizes: { of: async () => undefined },
    replica: {
      hasEntered: () => true,
      owned: () => ({ epoch: AT.epoch, tree: new MerkleTree(DEFAULT_SHAPE) }),
      storePage: async () => ({ type: 'stored', damaged: [] }),
    },
    pacerOf: () => ({ bytesPerSecond: 1 << 30, take: async () => {} }),
    stagesBytesOf: () => 0,
    onSourceLoad() {},
    onBytes() {},
    onArrived() {},
  } as unknown as TransferDeps;
  return { asked, deps };
}

test('the bulk goes on behind its last page, at the next source and at the next attempt', async () => {
  const { asked, deps } = entered(['page', 'failed', 'page', 'failed', 'last']);
  const progress = { ...newBulkProgress(), isFresh: true };
  const first = await arrive(OPTIONS, deps, AT, [1, 2], progress, NEVER);
  assert.equal(first.type, 'not-yet');
  assert.equal((await arrive(OPTIONS, deps, AT, [1, 2], progress, NEVER)).type, 'transferred');
  assert.deepEqual(asked, [
    'bulk 1 after nothing',
    'bulk 1 after 1',
    'bulk 2 after 1',
    'bulk 2 after 3',
    'bulk 1 after 3',
  ]);
});

test('what clients wrote since it was emptied is no reason to compare key by key; what a life before left is', async () => {
  const { asked, deps } = entered(['last']);
  const owned = deps.replica.owned(AT.partition);
  owned?.tree?.addLeaves(new Int32Array(owned.tree.leafWords().length), 5);
  Object.assign(deps.replica, { owned: () => owned });
  const fresh = { ...newBulkProgress(), isFresh: true };
  assert.equal((await arrive(OPTIONS, deps, AT, [1], fresh, NEVER)).type, 'transferred');
  assert.equal((await arrive(OPTIONS, deps, AT, [1], newBulkProgress(), NEVER)).type, 'not-yet');
  assert.deepEqual(asked, ['bulk 1 after nothing', 'walk 1 after nothing']);
});
