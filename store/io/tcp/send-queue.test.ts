import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Frame } from '../../peer/frame.ts';
import { FrameReader } from '../../peer/frame-reader.ts';
import { PART_BYTES_MAX } from '../../peer/limits.ts';
import type { Lane } from '../../peer/messages.ts';
import { PartAssembly } from '../../peer/part-assembly.ts';
import { Fifo } from './fifo.ts';
import { type Outgoing, outgoing, SendQueue } from './send-queue.ts';

const item = (lane: Lane, bytes: number, correlation = 0): Outgoing =>
  outgoing('message', lane, new Uint8Array(bytes).fill(correlation), correlation);

function frames(pieces: readonly Uint8Array[] | undefined): Frame[] {
  if (pieces === undefined) return [];
  return [...new FrameReader(PART_BYTES_MAX).push(Buffer.concat(pieces))];
}

/** What `queue` still sends, part by part. */
function drain(queue: SendQueue): Frame[] {
  const all: Frame[] = [];
  for (let part = frames(queue.next()); part.length > 0; part = frames(queue.next())) all.push(...part);
  return all;
}

test('a tail goes behind its payload, wherever the parts are cut', () => {
  const bytes = (count: number, from: number) => new Uint8Array(count).map((_, i) => (from + i) % 251);
  const sizes = [0, 1, 5000, PART_BYTES_MAX - 1, PART_BYTES_MAX, 2 * PART_BYTES_MAX + 7];
  for (const head of sizes) {
    for (const rest of sizes) {
      const queue = new SendQueue({ bytesMax: 1e7 });
      queue.add(outgoing('reply', 'bulk', bytes(head, 0), 9, bytes(rest, head)));
      const parts = drain(queue);
      assert.deepEqual(
        Buffer.concat(parts.map(({ payload }) => payload)),
        Buffer.from(bytes(head + rest, 0)),
      );
      assert.equal(parts.length, Math.max(1, Math.ceil((head + rest) / PART_BYTES_MAX)));
      assert.equal(queue.bytes, 0);
    }
  }
});

test('urgent before normal before bulk, each in order', () => {
  const queue = new SendQueue({ bytesMax: 1e6 });
  for (const [at, lane] of (['bulk', 'normal', 'urgent', 'bulk', 'urgent'] as const).entries()) {
    queue.add(item(lane, 10, at));
  }
  assert.deepEqual(
    drain(queue).map(({ correlation }) => correlation),
    [2, 4, 1, 0, 3],
  );
  assert.equal(queue.bytes, 0);
});

test('an urgent item waits for one part of a large one, not for all of it', () => {
  const queue = new SendQueue({ bytesMax: 1e7 });
  queue.add(item('bulk', 10 * PART_BYTES_MAX));
  assert.equal(frames(queue.next())[0]?.lane, 'bulk');
  queue.add(item('urgent', 10));
  assert.equal(frames(queue.next())[0]?.lane, 'urgent');
  assert.deepEqual(
    drain(queue).map(({ hasMore }) => hasMore),
    [...Array(8).fill(true), false],
  );
});

test('a lane that waits gets one part in about sixteen, however much is urgent', () => {
  const queue = new SendQueue({ bytesMax: 1e9 });
  for (let n = 0; n < 100; n++) queue.add(item('urgent', PART_BYTES_MAX));
  for (let n = 0; n < 3; n++) queue.add(item('bulk', PART_BYTES_MAX));
  const lanes = drain(queue).map(({ lane }) => lane);
  assert.deepEqual(
    lanes.flatMap((lane, at) => (lane === 'bulk' ? [at] : [])),
    [16, 33, 50],
  );
});

test('more than the limit is refused, and one item always fits', () => {
  const queue = new SendQueue({ bytesMax: 1000 });
  assert.equal(queue.add(item('bulk', 5000)), true);
  assert.equal(queue.add(item('urgent', 1)), false);
  drain(queue);
  assert.equal(queue.add(item('urgent', 1)), true);
});

test('a cancelled item is left out and makes room; one that was begun is sent to its end', () => {
  const queue = new SendQueue({ bytesMax: 400_000 });
  const [begun, queued] = [item('normal', 2 * PART_BYTES_MAX, 1), item('normal', 2 * PART_BYTES_MAX, 2)];
  queue.add(begun);
  queue.add(queued);
  queue.next();
  const before = queue.bytes;
  queue.cancel(begun);
  assert.equal(queue.bytes, before);
  queue.cancel(queued);
  queue.cancel(queued);
  assert.ok(queue.bytes < before / 2 + 1000);
  assert.deepEqual(
    drain(queue).map(({ correlation }) => correlation),
    [1],
  );
  assert.equal(queue.bytes, 0);
});

test('whatever is queued, the other side gets every payload once, in the order of its lane', () => {
  const sizes = fc.array(
    fc.tuple(fc.constantFrom<Lane>('urgent', 'normal', 'bulk'), fc.nat(3 * PART_BYTES_MAX), fc.nat(3)),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(sizes, (items) => {
      const queue = new SendQueue({ bytesMax: 1e9 });
      const parts = new PartAssembly(1e9);
      const got: Frame[] = [];
      const take = (): void => {
        for (const frame of frames(queue.next())) got.push(...[parts.add(frame) ?? []].flat());
      };
      for (const [at, [lane, bytes, sends]] of items.entries()) {
        queue.add(item(lane, bytes, at));
        for (let n = 0; n < sends; n++) take();
      }
      while (queue.bytes > 0) take();
      for (const lane of ['urgent', 'normal', 'bulk'] as const) {
        const sent = items.flatMap(([of, bytes], at) => (of === lane ? [[at, bytes]] : []));
        const arrived = got.filter((frame) => frame.lane === lane);
        assert.deepEqual(
          arrived.map(({ correlation, payload }) => [correlation, payload.length]),
          sent,
        );
      }
    }),
    { numRuns: 100 },
  );
});

test('Fifo: as an array with push and shift', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 300 }), (steps) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      for (const step of steps) {
        if (step === undefined) assert.equal(fifo.shift(), array.shift());
        else {
          fifo.push(step);
          array.push(step);
        }
        assert.equal(fifo.length, array.length);
        assert.equal(fifo.first, array[0]);
      }
    }),
  );
});
