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
