import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineClosedError } from './engine.ts';
import { GroupRead } from './group-read.ts';

const key = (id: number): Uint8Array => Uint8Array.of(id);

function createReads(read: (ids: number[]) => (Uint8Array | undefined | null)[]) {
  const groups: number[][] = [];
  const deps = {
    read: async (keys: readonly Uint8Array[]) => {
      const ids = keys.map((k) => k[0] as number);
      groups.push(ids);
      return read(ids);
    },
    defer: queueMicrotask,
  };
  return { groups, reads: new GroupRead({ groupKeysMax: 3 }, deps) };
}

test('GroupRead: reads of one turn go together, up to groupKeysMax', async () => {
  const { groups, reads } = createReads((ids) => ids.map((id) => (id === 2 ? undefined : key(id))));
  const values = await Promise.all([reads.get(key(1)), reads.getMany([key(2), key(3), key(4)])]);
  assert.deepEqual(values, [key(1), [undefined, key(3), key(4)]]);
  assert.deepEqual(groups, [[1, 2, 3], [4]]);
});

test('GroupRead: what was left out is asked for again', async () => {
  const { groups, reads } = createReads((ids) => ids.map((id, i) => (i === 0 ? key(id) : null)));
  assert.deepEqual(await reads.getMany([key(1), key(2)]), [key(1), key(2)]);
  assert.deepEqual(groups, [[1, 2], [2]]);
});

test('GroupRead: only the read of a damaged value fails', async () => {
  const { reads } = createReads((ids) => {
    if (ids.includes(2)) throw new Error('checksum mismatch');
    return ids.map(key);
  });
  const [first, damaged, third] = await Promise.allSettled([1, 2, 3].map((id) => reads.get(key(id))));
  assert.deepEqual([first?.status, damaged?.status, third?.status], ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual(await reads.get(key(4)), key(4));
});

test('GroupRead: close waits for reads under way and refuses the rest', async () => {
  const { reads } = createReads((ids) => ids.map(key));
  const accepted = reads.get(key(1));
  const closing = reads.close();
  await assert.rejects(reads.get(key(2)), EngineClosedError);
  assert.deepEqual(await accepted, key(1));
  await closing;
});
