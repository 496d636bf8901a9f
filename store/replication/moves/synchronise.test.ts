import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toMoveSession } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import { type Cargo, carry } from '../exchange/carry.ts';
import { DataAsker } from '../exchange/data-asker.ts';
import { Pacer } from '../exchange/pacer.ts';
import { at, live } from '../exchange/test-replica.ts';
import { START_MS, TestSet } from '../exchange/test-set.ts';
import { DEFAULT_MOVE_LIMITS, type TransferDeps } from './move-options.ts';
import { synchronise } from './synchronise.ts';

const SELF = 1;
const SOURCE = 2;
const NEVER = new AbortController().signal;

/** Member 1 as it synchronises with member 2; `during` runs when the trees have been walked. */
function world(during: () => void = () => {}) {
  const set = new TestSet(settle, { members: 2 });
  const { clock } = set;
  const moved: number[] = [];
  const replica = set.replica(SELF);
  const peers = set.peersOf(SELF);
  const requestMs = DEFAULT_MOVE_LIMITS.requestMs;
  const asker = new DataAsker(
    { self: SELF, requestMs, sendsMax: 2 },
    {
      peers: {
        async request(request, options) {
          const outcome = await peers.request(request, options);
          if (request.type === 'walk') during();
          return outcome;
        },
      },
      answer: (request) =>
        set
          .antiEntropy(SELF)
          .answer(request as Parameters<ReturnType<TestSet['antiEntropy']>['answer']>[0], SELF),
    },
  );
  const client = set.clientOf(SELF);
  const pacer = new Pacer({ bytesPerSecond: 1 << 30 }, { clock });
  const deps = {
    ...{ clock, asker, client, pacerOf: () => pacer },
    replica: { owned: (partition: number) => replica.owned(partition) },
    carry: (cargo: Cargo, stop: AbortSignal) =>
      carry({ self: SELF, requestMs }, { client, pacerOf: () => pacer }, cargo, stop),
    onBytes: (_partition: number, bytes: number) => void moved.push(bytes),
  } as unknown as TransferDeps;
  const options = { self: SELF, limits: DEFAULT_MOVE_LIMITS };
  const run = () =>
    set.until(
      synchronise(
        options,
        deps,
        { partition: 0, session: toMoveSession(1), epoch: set.epoch },
        SOURCE,
        NEVER,
      ),
    );
  const source = set.replica(SOURCE).owned(0);
  if (source === undefined) throw new Error('the source owns nothing');
  return { set, source, run, moved };
}

test('what the source holds is held here once it is done', async () => {
  const { set, run, moved } = world();
  set.put(live('a', at(START_MS)), [SOURCE]);
  assert.equal((await run()).type, 'transferred');
  assert.deepEqual(set.held('a'), [START_MS, START_MS]);
  assert.equal(moved.length, 1);
});

test('it is not done with a source that knows of damaged records: its tree leaves them out, though they may be nowhere else', async () => {
  const { source, run } = world();
  source.damage = { now: 2, found: 2 };
  const synced = await run();
  assert.match(synced.type === 'not-yet' ? synced.reason : '', /2 of its records are damaged at member 2/);
  source.damage = { now: 0, found: 2 };
  assert.equal((await run()).type, 'transferred', 'once they are healed');
});

test('a tree that is built again here while it is walked makes it begin again', async () => {
  let own: { rebuildTree(): void } | undefined;
  const { set, run } = world(() => {
    own?.rebuildTree();
    own = undefined;
  });
  own = set.replica(SELF).owned(0);
  assert.match(JSON.stringify(await run()), /built again meanwhile/);
  assert.equal((await run()).type, 'transferred');
});

test('without a tree of its own it waits', async () => {
  const { set, run } = world();
  const own = set.replica(SELF).owned(0);
  if (own !== undefined) own.tree = undefined;
  assert.match(JSON.stringify(await run()), /is being built/);
});

test('damage that is found, and healed, while the trees are walked makes it begin again', async () => {
  const { set, source, run } = world(() => {
    source.damage = { now: 0, found: 1 };
  });
  set.put(live('a', at(START_MS)), [SOURCE]);
  assert.equal((await run()).type, 'not-yet');
  assert.equal((await run()).type, 'transferred');
});
