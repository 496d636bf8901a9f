import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

test('Heap pops as a sorted array shifts', () => {
  const pushOrPop = fc.option(fc.integer({ min: 0, max: 20 }), { nil: 'pop' as const });
  const scenario = (steps: (number | 'pop')[]): void => {
    const heap = new Heap<number>((a, b) => a < b);
    const model: number[] = [];
    for (const step of steps) {
      if (step === 'pop') assert.equal(heap.pop(), model.shift());
      else {
        heap.push(step);
        model.push(step);
        model.sort((a, b) => a - b);
      }
      assert.equal(heap.size, model.length);
      assert.equal(heap.peek(), model[0]);
    }
  };
  fc.assert(fc.property(fc.array(pushOrPop, { maxLength: 200 }), scenario));
});

test('Heap is empty when it begins', () => {
  const heap = new Heap<string>((a, b) => a < b);
  assert.equal(heap.size, 0);
  assert.equal(heap.peek(), undefined);
  assert.equal(heap.pop(), undefined);
});
