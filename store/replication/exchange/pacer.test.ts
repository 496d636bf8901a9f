import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import { Pace } from '../hints/pace.ts';
import { Pacers } from './pacer.ts';

const { signal } = new AbortController();

test('Pacers: a rate that changes counts for what comes next, of members that are known too', async () => {
  const clock = new SimClock(0);
  const options = { bytesPerSecond: 1000 };
  const pacers = new Pacers(options, { clock });
  clock.advance(1000);
  await pacers.of(2).take(1100, signal);
  options.bytesPerSecond = 100_000;
  const waits = [pacers.of(2).take(100_000, signal), pacers.of(2).take(1, signal)];
  let over = 0;
  for (const wait of waits) wait.then(() => over++);
  clock.advance(1000);
  await settle();
  assert.equal(over, 1, 'the first of the two waits for what went at the old rate');
  clock.advance(1000);
  await settle();
  assert.equal(over, 2, 'at the old rate it would wait for 100 s');
});

test('Pace: the same', async () => {
  const clock = new SimClock(0);
  const options = { bytesPerSecond: 1000 };
  const pace = new Pace(options, clock);
  options.bytesPerSecond = 100_000;
  await pace.spend(100_000, signal);
  let isOver = false;
  pace.spend(1, signal).then(() => {
    isOver = true;
  });
  clock.advance(1000);
  await settle();
  assert.ok(isOver);
});
