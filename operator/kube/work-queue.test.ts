import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { settle } from '../../store/io/settle.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

function setup(options: WorkQueueOptions = {}) {
  const clock = new SimClock();
  const told: string[] = [];
  const observer = {
    onAdded: () => void told.push('added'),
    onRetried: () => void told.push('retried'),
    onTaken: (seconds: number) => void told.push(`taken after ${seconds}`),
    onDone: (seconds: number) => void told.push(`done after ${seconds}`),
  };
  const queue = new WorkQueue(options, { clock, observer });
  /** Keys that can be taken now, without those that are still worked on. */
  const takeAll = async (): Promise<string[]> => {
    const keys: string[] = [];
    while (queue.depth > 0) keys.push((await queue.take())!);
    return keys;
  };
  return { clock, queue, told, takeAll };
}

test('a key that is added often waits once, and keys come in the order of their arrival', async () => {
  const { queue, takeAll } = setup();
  for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key);
  assert.equal(queue.depth, 3);
  assert.deepEqual(await takeAll(), ['b', 'a', 'c']);
});

test('a key that is worked on is not handed out again, and once more when that is done', async () => {
  const { queue, takeAll } = setup();
  queue.add('a');
  assert.deepEqual(await takeAll(), ['a']);
  for (let at = 0; at < 3; at++) queue.add('a');
  assert.equal(queue.depth, 0);
  queue.done('a');
  assert.deepEqual(await takeAll(), ['a']);
  queue.done('a');
  assert.equal(queue.depth, 0);
  assert.throws(() => queue.done('a'), /nobody took it/);
});

test('who waits for a key gets the next one', async () => {
  const { queue } = setup();
  const [first, second] = [queue.take(), queue.take()];
  queue.add('a');
  queue.add('b');
  assert.deepEqual(await Promise.all([first, second]), ['a', 'b']);
});

test('failures of a key wait 5 ms, then twice as long each time up to the bound, until it is forgotten', async () => {
  const { clock, queue, takeAll } = setup({
    bucket: { perSecond: 1000, burst: 1000 },
    backOff: { firstMs: 5, maxMs: 1000 },
  });
  const waitsMs: number[] = [];
  for (let at = 0; at < 10; at++) {
    queue.addRateLimited('a');
    const beforeMs = clock.monotonicMs();
    clock.advance(clock.nextDueMs()! - beforeMs);
    waitsMs.push(clock.monotonicMs() - beforeMs);
    assert.deepEqual(await takeAll(), ['a']);
    queue.done('a');
  }
  assert.deepEqual(waitsMs, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  assert.equal(queue.failures('a'), 10);
  queue.forget('a');
  queue.addRateLimited('a');
  clock.advance(5);
  assert.equal(queue.depth, 1);
});

test('without options a key that always fails is tried every 1000 s in the end', () => {
  const { clock, queue } = setup();
  for (let at = 0; at < 60; at++) {
    queue.addRateLimited('a');
    clock.advance(1_000_000);
  }
  queue.addRateLimited('b', 2_000_000);
  assert.equal(clock.nextDueMs(), clock.monotonicMs() + 2_000_000);
});

test('retries of all keys together pass through the bucket', async () => {
  const { clock, queue } = setup({ bucket: { perSecond: 10, burst: 3 } });
  for (let at = 0; at < 8; at++) queue.addRateLimited(`key-${at}`);
  clock.advance(5);
  assert.equal(queue.depth, 3);
  clock.advance(95);
  assert.equal(queue.depth, 4);
  clock.advance(400);
  assert.equal(queue.depth, 8);
});

test('a delay is kept at its earliest time, once per key', async () => {
  const { clock, queue, takeAll } = setup();
  queue.addAfter('a', 1000);
  queue.addAfter('a', 200);
  queue.addAfter('a', 5000);
  assert.equal(queue.delayed, 1);
  clock.advance(200);
  assert.deepEqual(await takeAll(), ['a']);
  queue.done('a');
  clock.advance(10_000);
  assert.equal(queue.depth, 0);
  queue.addAfter('a', 0);
  assert.equal(queue.depth, 1);
});

test('a queue that is stopped hands out nothing and takes nothing in', async () => {
  const { clock, queue } = setup();
  queue.addAfter('later', 10);
  const waiting = queue.take();
  queue.add('a');
  queue.add('b');
  assert.equal(await waiting, 'a');
  const next = queue.take();
  assert.equal(await next, 'b');
  const idle = queue.take();
  queue.stop();
  assert.equal(await idle, undefined);
  queue.add('c');
  queue.addRateLimited('d');
  clock.advance(10_000);
  assert.deepEqual([queue.depth, queue.delayed, await queue.take()], [0, 0, undefined]);
  queue.done('a');
});

test('what goes through is told: waits, work and the longest of it', async () => {
  const { clock, queue, told } = setup();
  queue.add('a');
  clock.advance(2000);
  await queue.take();
  clock.advance(3000);
  assert.equal(queue.longestWorkMs, 3000);
  queue.done('a');
  queue.addRateLimited('a');
  assert.deepEqual(told, ['added', 'taken after 2', 'done after 3', 'retried']);
  assert.equal(queue.longestWorkMs, 0);
});

test('whatever is added whenever: no key is worked on twice at once, and none is lost', async () => {
  const step = fc.oneof(
    fc.record({
      type: fc.constant('add' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      delayMs: fc.nat(50),
    }),
    fc.record({ type: fc.constant('take' as const) }),
    fc.record({ type: fc.constant('done' as const), pick: fc.nat() }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.nat(60) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, queue } = setup();
      const working = new Set<string>();
      /** Keys that were added since the work on them last began. */
      const owed = new Set<string>();
      const took = (key: string | undefined): void => {
        assert.ok(key !== undefined && !working.has(key), `${key} is worked on twice`);
        working.add(key);
        owed.delete(key);
      };
      const run = async (at: (typeof steps)[number]): Promise<void> => {
        if (at.type === 'add') {
          owed.add(at.key);
          queue.addAfter(at.key, at.delayMs);
        } else if (at.type === 'take') void queue.take().then(took);
        else if (at.type === 'wait') clock.advance(at.ms);
        else if (working.size > 0) {
          const key = [...working][at.pick % working.size]!;
          working.delete(key);
          queue.done(key);
        }
        await settle();
      };
      for (const at of steps) await run(at);
      clock.advance(100);
      await settle();
      for (let left = 200; left > 0 && (owed.size > 0 || working.size > 0); left--)
        await run(working.size > 0 ? { type: 'done', pick: 0 } : { type: 'take' });
      assert.deepEqual([...owed], []);
    }),
    { numRuns: 200 },
  );
});
