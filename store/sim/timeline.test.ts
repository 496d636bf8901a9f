import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../io/settle.ts';
import { NodeClock } from './node-clock.ts';
import { SimProcess } from './sim-process.ts';
import { Timeline } from './timeline.ts';

const never = (): boolean => false;

test('Timeline: what became ready runs to its end before the next event', async () => {
  const timeline = new Timeline(settle);
  const seen: string[] = [];
  const chain = async (name: string): Promise<void> => {
    for (let i = 0; i < 100; i++) await Promise.resolve();
    seen.push(`${name} at ${timeline.nowMs}`);
  };
  timeline.after(2, () => void chain('second'));
  timeline.after(1, () => void chain('first'));
  timeline.after(2, () => void chain('third'));
  timeline.after(1, () => {}).cancel();
  await timeline.runUntil(10, never);
  assert.deepEqual(seen, ['first at 1', 'second at 2', 'third at 2']);
  assert.equal(timeline.nowMs, 10);
  assert.equal(timeline.eventsRun, 3);
});

test('NodeClock: rate, offset and jumps are the machine’s; monotonic time never jumps', async () => {
  const timeline = new Timeline(settle);
  const machine = { rate: 2, wallOffsetMs: 5000 };
  const clock = new NodeClock(machine, { timeline, process: new SimProcess(timeline) });
  const startMs = clock.nowMs();
  let firedMs = 0;
  clock.setTimer(100, () => {
    firedMs = timeline.nowMs;
  });
  await timeline.runUntil(60, never);
  assert.equal(firedMs, 50);
  assert.equal(clock.monotonicMs(), 120);
  assert.equal(clock.nowMs() - startMs, 120);
  machine.wallOffsetMs -= 9000;
  assert.equal(clock.nowMs() - startMs, 120 - 9000);
  assert.equal(clock.monotonicMs(), 120);
});

test('SimProcess: a paused one misses nothing, in order; a timer may be cancelled by an earlier one', async () => {
  const timeline = new Timeline(settle);
  const process = new SimProcess(timeline);
  const clock = new NodeClock({ rate: 1, wallOffsetMs: 0 }, { timeline, process });
  const fired: string[] = [];
  clock.setTimer(1, () => {
    fired.push('a');
    second.cancel();
  });
  const second = clock.setTimer(2, () => fired.push('b'));
  clock.setTimer(3, () => fired.push('c'));
  process.pause();
  await timeline.runUntil(10, never);
  assert.deepEqual(fired, []);
  process.resume();
  await timeline.runUntil(10, never);
  assert.deepEqual(fired, ['a', 'c']);
  process.kill();
  clock.setTimer(1, () => assert.fail('the dead are told nothing'));
  await timeline.runUntil(20, never);
});
