import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch, toMoveSession } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import { SELF, START_MS, TestReplica } from '../replica/test-replica.ts';
import { ArrivingSpace } from './arriving-space.ts';
import { memberReport } from './member-report.ts';
import { MoveProgress } from './progress.ts';
import { ReceivedBytes } from './received.ts';
import { RecordSize } from './record-size.ts';

const V = START_MS - 20_000;
const moveAt = (partition: number, session: number) => ({
  ...{ partition, session: toMoveSession(session), epoch: toEpoch(session) },
});

test('a member says what it holds, from its tree and a sample of its records, and what came by moves', async () => {
  const t = await TestReplica.open();
  await t.until(t.replica.treesBuilt(), settle);
  for (const key of ['a', 'b', 'c']) await t.store(key, { wallMs: V, value: 'x'.repeat(100) });
  const received = new ReceivedBytes(t);
  received.add(moveAt(0, 3), 70);
  received.add(moveAt(0, 5), 400);
  t.clock.advance(1000);
  const { clock, engine, replica } = t;
  const recordSize = new RecordSize({ clock, engine, ownedPartitions: () => replica.ownedPartitions() });
  const owner = { owner: 3, count: 2, bytes: 90, oldestMs: 1 };
  const hints = { status: () => ({ count: 2, bytes: 90, owners: [owner] }) };
  const report = await memberReport({ replica, received, recordSize, hints, freeBytes: () => 5000 });
  const { owned, ...rest } = report;
  assert.deepEqual(
    owned.map(({ partition, entries }) => [partition, entries]),
    [
      [0, 3],
      [1, 0],
    ],
  );
  assert.ok((owned[0]?.bytes ?? 0) > 300 && (owned[0]?.bytes ?? 0) < 600);
  assert.deepEqual(rest, {
    received: [{ partition: 0, session: 5, bytes: 400, bytesPerSecond: 400 }],
    hints: [{ member: 3, count: 2, bytes: 90 }],
    freeBytes: 5000,
  });
});

test('those that are up are asked, and who does not answer is left out', async () => {
  const state = {
    members: new Map([1, 2, 3].map((number) => [number, {}])),
    partitions: [{ replicas: [2, 3], epoch: toEpoch(1) }],
  };
  const report = { received: [], owned: [{ partition: 0, entries: 1, bytes: 30 }], hints: [], freeBytes: 9 };
  const asked: number[] = [];
  const progress = new MoveProgress({
    routing: { isUp: (member) => member !== 3 },
    topology: { state } as unknown as ConstructorParameters<typeof MoveProgress>[0]['topology'],
    peers: {
      async request({ to }) {
        asked.push(to);
        if (to === SELF) return { type: 'unreachable', code: 'TIMEOUT' };
        return { type: 'reply', reply: { type: 'report', report } };
      },
    },
  });
  assert.deepEqual([...(await progress.reports()).keys()], [2]);
  assert.deepEqual(asked, [1, 2]);
  assert.equal((await progress.progressOf([0])).bytesLeft, 30);
  assert.equal((await progress.progressOf([], { done: [0] })).bytesLeft, 0);
});

test('partitions that arrive at the same time need room together, less what has come of them', async () => {
  const t = await TestReplica.open();
  const received = new ReceivedBytes(t);
  const space = () => ({ isFull: false, freeBytes: 1000, reserveBytes: 200 });
  const arriving = new ArrivingSpace({ received, space });
  assert.equal(arriving.take(moveAt(0, 3), 300), undefined);
  assert.match(arriving.take(moveAt(1, 4), 200) ?? '', /1000 bytes free, and 1200 are needed/);
  received.add(moveAt(0, 3), 150);
  assert.equal(arriving.take(moveAt(1, 4), 200), undefined);
  arriving.release(0);
  arriving.release(1);
  assert.equal(arriving.take(moveAt(2, 5), 400), undefined);
});
