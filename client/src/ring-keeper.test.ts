import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from './node-address.ts';
import type { PartitionMap } from './partition-map.ts';
import { type FetchedRing, RingKeeper } from './ring-keeper.ts';

const ringOfEpoch = (epoch: number, clusterId: string): PartitionMap => ({
  clusterId,
  epoch,
  replicationFactor: 1,
  members: [],
  sets: [],
});

class Bench {
  nowMs = 0;
  fetches = 0;
  proofs = 0;
  answer: () => Promise<FetchedRing> = () => this.ring(1);
  readonly learned: number[] = [];
  readonly keeper = new RingKeeper(
    { refreshMs: 10_000 },
    {
      nowMs: () => this.nowMs,
      random: () => 0.5,
      fetch: () => {
        this.fetches += 1;
        return this.answer();
      },
      learn: ({ epoch }) => this.learned.push(epoch),
      prove: async () => {
        this.proofs += 1;
      },
    },
  );

  ring(epoch: number, clusterId = 'a'): Promise<FetchedRing> {
    return Promise.resolve({
      type: 'ring',
      ring: ringOfEpoch(epoch, clusterId),
      asked: addressOf('http://a'),
    });
  }

  /** A call at `nowMs`, and all that it set off. */
  async touchAt(nowMs: number): Promise<void> {
    this.nowMs = nowMs;
    this.keeper.touch();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('RingKeeper: from the second call on, and then once in a period', async () => {
  const bench = new Bench();
  for (const nowMs of [0, 1, 2, 9999]) await bench.touchAt(nowMs);
  assert.equal(bench.fetches, 1);
  await bench.touchAt(10_001);
  assert.equal(bench.fetches, 2);
  assert.deepEqual(bench.learned, [1, 1]);
});

test('RingKeeper.suspect: asks sooner, but not more often than every 250 ms', async () => {
  const bench = new Bench();
  await bench.touchAt(0);
  await bench.touchAt(1000);
  bench.nowMs = 1100;
  bench.keeper.suspect();
  bench.keeper.suspect();
  await bench.touchAt(1200);
  assert.equal(bench.fetches, 1);
  await bench.touchAt(1251);
  assert.equal(bench.fetches, 2);
});

test('RingKeeper: a failed fetch fails no call, and is tried again in the next period', async () => {
  const bench = new Bench();
  bench.answer = () => Promise.reject(new Error('nobody answers'));
  await bench.touchAt(0);
  await bench.touchAt(1);
  await assert.rejects(bench.keeper.refresh(), /nobody/);
  bench.answer = () => bench.ring(3);
  await bench.touchAt(20_000);
  assert.deepEqual(bench.learned, [3]);
});

test('RingKeeper: an older map is that of a node that lags, unless it is of another cluster', async () => {
  const bench = new Bench();
  bench.answer = () => bench.ring(7);
  await bench.keeper.refresh();
  bench.answer = () => bench.ring(2);
  await bench.keeper.refresh();
  assert.equal(bench.keeper.ring?.epoch, 7);
  bench.answer = () => bench.ring(2, 'b');
  await bench.keeper.refresh();
  assert.deepEqual(bench.learned, [7, 2]);
});

test('RingKeeper: members that were lost show themselves again, also where the map is the same', async () => {
  const bench = new Bench();
  for (const type of ['ring', 'same', 'none'] as const) {
    bench.answer = type === 'ring' ? () => bench.ring(1) : () => Promise.resolve({ type });
    await bench.keeper.refresh();
  }
  assert.equal(bench.proofs, 2);
});
