import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dataKey } from '../../storage/key-layout.ts';
import type { KeyState } from './key-state.ts';
import { KeyTable } from './key-table.ts';
import { PartitionState } from './partition-state.ts';

const SHAPE = { fanOut: 4, depth: 2 };
const ZERO = { wallMs: 0, counter: 0, member: 0 };
const addressOf = (n: number) => ({ partition: 0, namespaceId: 1, key: Uint8Array.of(n) });

function tableOf(idleEntriesMax: number) {
  const table = new KeyTable({ idleEntriesMax, treeShape: SHAPE }, { isDamaged: () => false });
  const partition = new PartitionState(0, { self: 1, treeShape: SHAPE, hashSeed: { low: 1, high: 2 } }, {
    epoch: 0,
    floor: ZERO,
    watermark: ZERO,
    session: 0,
  } as never);
  const acquire = (n: number): KeyState => {
    const state = table.acquire(dataKey(addressOf(n)), partition, addressOf(n));
    state.isKnown = true;
    return state;
  };
  return { table, partition, acquire, find: (n: number) => table.find(dataKey(addressOf(n)), partition) };
}

test('KeyTable: what is used again stays, what was used once goes', () => {
  const { table, acquire, find } = tableOf(3);
  for (const n of [1, 2, 3]) table.release(acquire(n));
  table.release(acquire(4)); // the hand has come by all of them once
  for (let n = 5; n < 20; n++) {
    assert.ok(find(4), `${n}`);
    table.release(acquire(n));
  }
  assert.equal(table.size, 3);
});

test('KeyTable: a state in use is never dropped, and no more idle ones are kept than allowed', () => {
  const step = fc.record({
    type: fc.constantFrom('acquire', 'release', 'find', 'forget'),
    n: fc.nat({ max: 7 }),
  });
  fc.assert(
    fc.property(fc.nat({ max: 4 }), fc.array(step, { maxLength: 200 }), (idleEntriesMax, steps) => {
      const { table, partition, acquire, find } = tableOf(idleEntriesMax);
      const used = new Map<number, KeyState[]>();
      for (const { type, n } of steps) {
        const mine = used.get(n) ?? [];
        used.set(n, mine);
        if (type === 'acquire') mine.push(acquire(n));
        else if (type === 'release') {
          const state = mine.shift();
          if (state !== undefined) table.release(state);
        } else if (type === 'find') assert.equal(find(n)?.users ?? 0, mine.length);
        else {
          table.forgetAll(partition);
          used.clear();
        }
        const inUse = [...used.values()].filter(({ length }) => length > 0).length;
        for (const [key, states] of used) for (const state of states) assert.equal(find(key), state);
        assert.ok(table.size <= inUse + idleEntriesMax, `${table.size} of ${inUse} in use`);
        assert.equal(table.size, partition.keys.size);
      }
    }),
  );
});
