import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toMoveSession } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import type { AntiEntropyRequest } from '../exchange/anti-entropy.ts';
import { NOTHING } from '../exchange/carry.ts';
import { DataAsker } from '../exchange/data-asker.ts';
import { Pacer } from '../exchange/pacer.ts';
import { at, live } from '../exchange/test-replica.ts';
import { TestSet } from '../exchange/test-set.ts';
import { DEFAULT_MOVE_LIMITS, type TransferDeps, type Transferred } from './move-options.ts';
import { synchronise } from './synchronise.ts';

/** Member 1 synchronises with member 2; `carried` are the keys that it brings. */
async function synchronised(set: TestSet, carried: string[]): Promise<Transferred> {
  const { clock } = set;
  const answer = (request: unknown) => set.antiEntropy(1).answer(request as AntiEntropyRequest, 1);
  const deps: TransferDeps = {
    clock,
    replica: {
      owned: (partition) => set.replica(1).owned(partition),
      hasEntered: () => true,
      enter: async () => true,
      mayConfirm: () => true,
      storePage: async () => assert.fail('nothing comes in pages'),
    },
    client: { ask: async () => assert.fail('nothing is read but through `carry`') },
    asker: new DataAsker({ self: 1, requestMs: 1000, sendsMax: 2 }, { peers: set.peersOf(1), answer }),
    pacerOf: () => new Pacer({ bytesPerSecond: 1 << 30 }, { clock }),
    async carry({ key }) {
      carried.push(Buffer.from(key).toString());
      return { ...NOTHING, stored: 1, bytes: 1 };
    },
    onBytes: () => {},
    onSourceLoad: () => {},
    sizes: { of: async () => undefined },
    whyNoRoom: () => undefined,
    onArrived: () => {},
  };
  const partition = { partition: 0, session: toMoveSession(1), epoch: set.epoch };
  const options = { self: 1, limits: DEFAULT_MOVE_LIMITS };
  return await set.until(synchronise(options, deps, partition, 2, new AbortController().signal));
}

test('what the source has and this member lacks, or has older, is brought; nothing else', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('same', at(5)));
  set.put(live('lacking', at(5)), [2]);
  set.put(live('newer here', at(9)), [1]);
  set.put(live('newer here', at(5)), [2]);
  set.put(live('only here', at(5)), [1]);
  const carried: string[] = [];
  assert.deepEqual(await synchronised(set, carried), { type: 'transferred', bytes: 1 });
  assert.deepEqual(carried, ['lacking']);
  await set.stop();
});

test('a source that knows of damage is no source: what it lost would be missed for good', async () => {
  const set = new TestSet(settle, { members: 2 });
  const source = set.replica(2).partitions[0];
  if (source !== undefined) source.lacksRecords = true;
  const known = await synchronised(set, []);
  assert.equal(known.type, 'not-yet');
  assert.match(known.type === 'not-yet' ? known.reason : '', /^RECORD_CORRUPT: .* damaged here/);
  await set.stop();
});

test('a source that finds damage as it lists its records says so', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('a', at(5)), [2]);
  const source = set.replica(2).partitions[0];
  set.isLost = (_, { what }) => {
    if (what === 'leaves' && source !== undefined) source.lacksRecords = true;
    return false;
  };
  const carried: string[] = [];
  assert.equal((await synchronised(set, carried)).type, 'not-yet');
  assert.deepEqual(carried, []);
  await set.stop();
});

test('a tree that is built again here while it is walked proves nothing; nor is there a start without one', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('a', at(5)), [2]);
  const own = set.replica(1).owned(0);
  set.isLost = (_, { what }) => {
    if (what === 'walk') own?.rebuildTree();
    return false;
  };
  const again = await synchronised(set, []);
  assert.match(again.type === 'not-yet' ? again.reason : '', /built again meanwhile/);
  set.isLost = () => false;
  assert.equal((await synchronised(set, [])).type, 'transferred');
  if (own !== undefined) own.tree = undefined;
  const without = await synchronised(set, []);
  assert.match(without.type === 'not-yet' ? without.reason : '', /is being built/);
  await set.stop();
});
