import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SimClock } from '../../sim/sim-clock.ts';
import { SharedSignals } from './shared-signals.ts';
import { type TimeoutEntry, Timeouts } from './timeouts.ts';

interface Entry extends TimeoutEntry<Entry> {
  readonly name: number;
  readonly dueMs: number;
}
const GRAIN_MS = 8;

function createTimeouts() {
  const clock = new SimClock();
  let timersSet = 0;
  const counting = {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs: number, callback: () => void) => {
      timersSet += 1;
      return clock.setTimer(delayMs, callback);
    },
  };
  const ended: { readonly name: number; readonly atMs: number }[] = [];
  const onTimeout = ({ name }: Entry): void => void ended.push({ name, atMs: clock.monotonicMs() });
  const timeouts = new Timeouts<Entry>({ grainMs: GRAIN_MS }, { clock: counting, onTimeout });
  const add = (name: number, dueMs: number): Entry => {
    const entry: Entry = { name, dueMs, bucket: undefined, previous: undefined, next: undefined };
    timeouts.add(entry, dueMs);
    return entry;
  };
  return { clock, timeouts, ended, add, timersSet: () => timersSet };
}

test('Timeouts: what is not removed ends once, at its time or up to a grain later; what is removed never', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('add' as const), delayMs: fc.nat(200) }),
    fc.record({ type: fc.constant('remove' as const), which: fc.nat() }),
    fc.record({ type: fc.constant('advance' as const), ms: fc.nat(60) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, timeouts, ended, add } = createTimeouts();
      const live = new Map<number, Entry>();
      let names = 0;
      for (const each of steps) {
        if (each.type === 'add') {
          const name = names++;
          live.set(name, add(name, clock.monotonicMs() + each.delayMs));
        } else if (each.type === 'remove') {
          const entry = [...live.values()][each.which % Math.max(1, live.size)];
          if (entry === undefined) continue;
          timeouts.remove(entry);
          if (!ended.some(({ name }) => name === entry.name)) live.delete(entry.name);
        } else clock.advance(each.ms);
      }
      clock.advance(400);
      assert.deepEqual(
        ended.map(({ name }) => name).toSorted((a, b) => a - b),
        [...live.keys()].toSorted((a, b) => a - b),
      );
      for (const { name, atMs } of ended) {
        const { dueMs } = live.get(name) as Entry;
        assert.ok(atMs >= dueMs && atMs <= dueMs + GRAIN_MS + 1, `${name}: due ${dueMs}, ended ${atMs}`);
      }
    }),
    { numRuns: 1000 },
  );
});

test('Timeouts: thousands that are removed in time cost a handful of timers', () => {
  const { clock, timeouts, ended, add, timersSet } = createTimeouts();
  for (let turn = 0; turn < 1000; turn++) {
    const entries = Array.from({ length: 10 }, (_, i) => add(i, clock.monotonicMs() + 5000));
    clock.advance(1);
    for (const entry of entries) timeouts.remove(entry);
  }
  clock.advance(10_000);
  assert.equal(ended.length, 0);
  assert.ok(timersSet() <= 5, `${timersSet()} timers`);
});

test('Timeouts: one that is added while another ends is not forgotten', () => {
  const clock = new SimClock();
  const ended: string[] = [];
  const entry = (dueMs: number): Entry => ({
    name: dueMs,
    dueMs,
    bucket: undefined,
    previous: undefined,
    next: undefined,
  });
  const onTimeout = ({ name }: Entry): void => {
    ended.push(`${name} at ${clock.monotonicMs()}`);
    if (name === 16) timeouts.add(entry(36), 36);
  };
  const timeouts = new Timeouts<Entry>({ grainMs: GRAIN_MS }, { clock, onTimeout });
  timeouts.add(entry(16), 16);
  timeouts.add(entry(100), 100);
  clock.advance(200);
  assert.deepEqual(ended, ['16 at 16', '36 at 40', '100 at 104']);
});

test('SharedSignals: requests of about the same time share a signal, which ends when the last of them may', () => {
  const clock = new SimClock();
  const signals = new SharedSignals({ clock });
  const [first, second, later] = [signals.within(101), signals.within(149), signals.within(1000)];
  assert.equal(first, second);
  clock.advance(149);
  assert.equal(second.aborted, false);
  clock.advance(2);
  assert.deepEqual([first.aborted, later.aborted], [true, false]);
  signals.stop();
  assert.deepEqual([later.aborted, signals.within(5).aborted], [true, true]);
});
