import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { at, live, type TestPartition } from './test-replica.ts';
import { TestSet } from './test-set.ts';

const OLD = 500_000;
const partitionOf = (set: TestSet, member: number): TestPartition =>
  set.replica(member).partitions[0] as TestPartition;

test('who lost its floor takes itself out and says so, by the first exchange after its start', async () => {
  const set = new TestSet(settle);
  await set.until(set.antiEntropy(1).verify());
  for (const restored of [partitionOf(set, 2)]) {
    restored.floor = at(0);
    restored.watermark = at(0);
  }
  await set.restart(2, 2);
  await set.pass(2000);
  assert.match(set.replica(2).outReason ?? '', /floor of partition 0 .* rejoin as a replacement/s);
  assert.equal(set.events[0]?.type, 'promises-lost');
  assert.equal(set.replica(1).outReason, undefined);
  await set.stop();
});

test('a round does not lift a lost floor: it would hide what is lost', async () => {
  const set = new TestSet(settle);
  await set.until(set.antiEntropy(1).verify());
  const restored = partitionOf(set, 2);
  restored.floor = at(0);
  restored.watermark = at(0);
  await set.pass(5000);
  const report = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual(report.problems, ['partition 0: the floor of node-2 is below a watermark']);
  assert.equal(restored.floor.wallMs, 0);
  assert.deepEqual(
    set.events.map((event) => event.type),
    ['promises-lost'],
  );
  await set.stop();
});

test('a member that is asked again about its floor and has moved on by then has lost nothing', async () => {
  const set = new TestSet(settle);
  await set.until(set.antiEntropy(1).verify());
  const slow = partitionOf(set, 2);
  const { floor } = slow;
  // As it answers while a round settles: the others were asked a moment later.
  slow.floor = at(0);
  let asked = 0;
  set.isLost = (_from, { to, what }) => {
    if (to !== 2 || what !== 'roots' || ++asked < 2) return false;
    slow.floor = floor;
    set.setEpoch(2, [2]);
    return false;
  };
  const report = await set.until(set.antiEntropy(1).verify());
  assert.ok(asked >= 2);
  assert.equal(report.problems.length, 1);
  assert.deepEqual(set.events, []);
  assert.equal(set.replica(2).outReason, undefined);
  await set.stop();
});

test('a live record below the watermark of one that lacks it is told once, by whoever finds it', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put(live('key', at(OLD)));
  await set.until(set.antiEntropy(1).verify());
  partitionOf(set, 2).remove('key');
  set.start();
  await set.pass(10_000);
  assert.deepEqual(
    set.events.map((event) => [event.type, 'version' in event ? event.version.wallMs : 0]),
    [['sealed-difference', OLD]],
  );
  assert.deepEqual(set.held('key'), [OLD, undefined], 'it is told, and not guessed who is right');
  const report = await set.until(set.antiEntropy(1).verify());
  assert.equal(report.equal, 0);
  assert.match(report.problems[0] ?? '', /live keys below the watermark/);
  await set.stop();
});

test('an expired record that one replica has collected already is no error', async () => {
  const set = new TestSet(settle, { members: 2 });
  set.put({ ...live('key', at(OLD)), expiresAtMs: OLD + 5 });
  for (const member of [1, 2]) partitionOf(set, member).floor = at(OLD + 50);
  for (const member of [1, 2]) partitionOf(set, member).watermark = at(OLD + 50);
  partitionOf(set, 2).remove('key');
  set.isLost = () => false;
  const report = await set.until(set.antiEntropy(2).verify());
  assert.deepEqual(report.problems, []);
  assert.deepEqual(set.events, []);
  await set.stop();
});
