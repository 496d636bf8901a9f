import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteBuilder } from './byte-builder.ts';

test('what was put together comes back, again and again, in memory of its own', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 4 }), (runs) => {
      const builder = new ByteBuilder();
      const taken = runs.map((run) => {
        for (const piece of run) builder.append(piece);
        return builder.take();
      });
      for (const [i, run] of runs.entries())
        assert.deepEqual(Buffer.from(taken[i] ?? []), Buffer.concat(run));
      assert.equal(builder.length, 0);
    }),
  );
});

test('memory that was given back is used again, and what was taken of it stays as it was', () => {
  const first = ByteBuilder.idle();
  first.append(Uint8Array.of(1, 2, 3));
  const memory = first.memory;
  const taken = first.takeLast();
  const again = ByteBuilder.idle();
  assert.equal(again.memory, memory);
  assert.equal(again.length, 0);
  again.append(Uint8Array.of(9, 9, 9));
  assert.deepEqual([...taken], [1, 2, 3]);
});

test('memory beyond 4 MiB is left to the collector', () => {
  const large = ByteBuilder.idle();
  large.reserve((4 << 20) + 1);
  const { memory } = large;
  large.takeLast();
  assert.notEqual(ByteBuilder.idle().memory, memory);
});
