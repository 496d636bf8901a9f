import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineClosedError, EngineFailedError, type EngineOperation } from './engine.ts';
import { GroupCommit, type WriteGroup } from './group-commit.ts';

const SYNC = { sync: true } as const;
const put = (key: number): EngineOperation[] => [
  { type: 'put', key: Uint8Array.of(key), value: new Uint8Array(10) },
];
const range = (): EngineOperation[] => [
  { type: 'delete-range', start: Uint8Array.of(1), end: Uint8Array.of(9) },
];

/** A disk whose commits the test finishes by hand. */
function createDisk(groupBytesMax = 1_000) {
  const groups: WriteGroup[] = [];
  const finish: PromiseWithResolvers<void>[] = [];
  const commit = (group: WriteGroup): Promise<void> => {
    groups.push(group);
    finish.push(Promise.withResolvers());
    return (finish.at(-1) as PromiseWithResolvers<void>).promise;
  };
  const writes = new GroupCommit({ groupBytesMax }, { commit, defer: queueMicrotask, monotonicMs: () => 0 });
  return { groups, finish, writes };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('GroupCommit: writes of one turn share a group, later ones wait for it and share the next', async () => {
  const { groups, finish, writes } = createDisk();
  const first = [writes.write(put(1), SYNC), writes.write(put(2), { sync: false })];
  await turn();
  const second = [writes.write(put(3), { sync: false }), writes.write(put(4), { sync: false })];
  await turn();
  assert.deepEqual(
    groups.map((g) => [g.operations, g.sync]),
    [[2, true]],
  );
  finish[0]?.resolve();
  await Promise.all(first);
  await turn();
  assert.deepEqual(
    groups.map((g) => [g.operations, g.sync]),
    [
      [2, true],
      [2, false],
    ],
  );
  finish[1]?.resolve();
  await Promise.all(second);
});

test('GroupCommit: a group stops at groupBytesMax, a larger write goes alone', async () => {
  const { groups, finish, writes } = createDisk(45);
  const large: EngineOperation = { type: 'put', key: Uint8Array.of(9), value: new Uint8Array(100) };
  const all = [put(1), put(2), put(3), [large], put(4)].map((batch) => writes.write(batch, SYNC));
  for (let i = 0; i < 4; i++) {
    await turn();
    finish[i]?.resolve();
  }
  await Promise.all(all);
  assert.deepEqual(
    groups.map((g) => g.bytes),
    [40, 20, 110, 20],
  );
});

test('GroupCommit: a delete-range is a group of its own', async () => {
  const { groups, finish, writes } = createDisk();
  const all = [put(1), range(), put(2)].map((batch) => writes.write(batch, SYNC));
  for (let i = 0; i < 3; i++) {
    await turn();
    finish[i]?.resolve();
  }
  await Promise.all(all);
  assert.deepEqual(
    groups.map((g) => g.batches[0]?.[0]?.type),
    ['put', 'delete-range', 'put'],
  );
});

test('GroupCommit: a failed group rejects its writers, those that wait and all that come', async () => {
  const { groups, finish, writes } = createDisk();
  const during = assert.rejects(writes.write(put(1), SYNC), EngineFailedError);
  await turn();
  const waiting = assert.rejects(writes.write(put(2), SYNC), EngineFailedError);
  finish[0]?.reject(new Error('EIO'));
  await Promise.all([during, waiting]);
  await assert.rejects(writes.write(put(3), SYNC), { name: 'EngineFailedError', message: /EIO/ });
  assert.equal(groups.length, 1);
  await writes.close();
});

test('GroupCommit: what is submitted ends in its order, by a call that never comes at once', async () => {
  const { finish, writes } = createDisk();
  const ended: string[] = [];
  const note = (name: string) => (failure: Error | undefined) => ended.push(`${name} ${failure?.name}`);
  writes.submit(put(1), SYNC, note('a'));
  writes.submit([], SYNC, note('wrong'));
  writes.submit(put(2), SYNC, (failure) => {
    note('b')(failure);
    writes.submit(put(3), SYNC, note('c'));
  });
  assert.deepEqual(ended, []);
  await turn();
  finish[0]?.resolve();
  await turn();
  assert.deepEqual(ended, ['wrong TypeError', 'a undefined', 'b undefined']);
  finish[1]?.reject(new Error('EIO'));
  await turn();
  writes.submit(put(4), SYNC, note('d'));
  assert.equal(ended.length, 4);
  await turn();
  assert.deepEqual(ended.slice(3), ['c EngineFailedError', 'd EngineFailedError']);
});

test('GroupCommit: close waits for what was accepted and refuses the rest', async () => {
  const { finish, writes } = createDisk();
  const accepted = writes.write(put(1), SYNC);
  let isClosed = false;
  const closing = writes.close().then(() => {
    isClosed = true;
  });
  await assert.rejects(writes.write(put(2), SYNC), EngineClosedError);
  await turn();
  assert.equal(isClosed, false);
  finish[0]?.resolve();
  await Promise.all([accepted, closing]);
});
