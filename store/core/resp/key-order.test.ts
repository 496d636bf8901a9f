import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyOrder } from './key-order.ts';

test('reads of a key go together, a write waits for them and they for it', () => {
  const order = new KeyOrder();
  order.begin(['a'], false);
  assert.ok(order.allows(['a'], false));
  order.begin(['a', 'b'], false);
  assert.ok(!order.allows(['b', 'c'], true));
  order.end(['a', 'b'], false);
  assert.ok(order.allows(['b', 'c'], true));
  assert.ok(!order.allows(['a'], true), 'the first reader is still there');
  order.end(['a'], false);
  order.begin(['a'], true);
  assert.ok(!order.allows(['a'], false));
  assert.ok(!order.allows(['z', 'a'], true));
  order.end(['a'], true);
  assert.ok(order.allows(['a'], true));
});

test('a key that a command names twice is free again when it ends', () => {
  for (const isWrite of [true, false]) {
    const order = new KeyOrder();
    order.begin(['a', 'a'], isWrite);
    order.end(['a', 'a'], isWrite);
    assert.ok(order.allows(['a'], true));
  }
});
