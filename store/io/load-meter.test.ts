import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SimClock } from '../sim/sim-clock.ts';
import { startLoadMeter } from './load-meter.ts';

test('the load is the share of the interval in which the event loop was busy, until the meter is ended', async () => {
  const clock = new SimClock(0);
  const loads: number[] = [];
  // The event loop's own figures begin with its first turn.
  await sleep(1);
  const meter = startLoadMeter({ intervalMs: 1000 }, { clock, report: (load) => loads.push(load) });
  clock.advance(999);
  assert.deepEqual(loads, []);
  spin(20);
  clock.advance(1);
  assert.deepEqual(loads, [1], 'the loop did nothing else since the meter was started');

  // To be idle is what is measured here.
  await sleep(200);
  clock.advance(1000);
  assert.equal(loads.length, 2);
  const idle = loads.at(-1) ?? Number.NaN;
  assert.ok(idle >= 0 && idle < 0.5, `${idle}`);
  assert.equal(idle, Math.round(idle * 100) / 100);

  meter[Symbol.dispose]();
  clock.advance(10_000);
  assert.equal(loads.length, 2);
});

function spin(forMs: number): void {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs);
}
