import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from '../../sim/sim-clock.ts';
import type { DataAsker } from '../exchange/data-asker.ts';
import { PartitionSizes } from './partition-sizes.ts';

/** Member 1 holds the partitions of `held`; others do not answer. */
function world() {
  const clock = new SimClock(1_000_000);
  const held = new Map([[7, 500]]);
  const asked: number[] = [];
  const ask = async (_type: string, { to }: { readonly to: number }) => {
    asked.push(to);
    if (to !== 1) return { type: 'failed', reason: 'TIMEOUT', epoch: undefined };
    const owned = Array.from(held, ([partition, bytes]) => ({ partition, entries: 1, bytes }));
    return { type: 'report', report: { received: [], owned, hints: [], freeBytes: 0 } };
  };
  const asker = { ask } as unknown as Pick<DataAsker, 'ask'>;
  return { clock, held, asked, sizes: new PartitionSizes({ clock, asker }) };
}

test('one answer is good for all partitions of a member, for a second', async () => {
  const { clock, held, asked, sizes } = world();
  held.set(8, 600);
  assert.deepEqual(await Promise.all([sizes.of(7, 1), sizes.of(7, 1)]), [500, 500]);
  asked.length = 0;
  assert.deepEqual([await sizes.of(7, 1), await sizes.of(8, 1)], [500, 600]);
  assert.deepEqual(asked, []);
  clock.advance(1000);
  held.set(7, 700);
  assert.equal(await sizes.of(7, 1), 700);
  assert.deepEqual(asked, [1]);
});

test('a partition that the last answer did not name is asked for again, and so is a member that did not answer', async () => {
  const { held, asked, sizes } = world();
  assert.equal(await sizes.of(8, 1), undefined);
  held.set(8, 600);
  assert.equal(await sizes.of(8, 1), 600);
  assert.equal(await sizes.of(7, 2), undefined);
  assert.equal(await sizes.of(7, 2), undefined);
  assert.deepEqual(asked.slice(-2), [2, 2]);
});
