import assert from 'node:assert/strict';
import test from 'node:test';
import { ping, TestNode } from './test-nodes.ts';

test('messages and requests go both ways', { timeout: 20_000 }, async () => {
  await using a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  a.serve = async () => ({ type: 'done', epoch: 7 as never, subject: 1 });
  b.serve = async (request) => ({ type: 'busy', message: `${request.type}?` });
  a.transport.send(b.address, ping(1));
  b.transport.send(a.address, ping(2));
  await b.until(() => b.messages.length === 1);
  await a.until(() => a.messages.length === 1);
  assert.deepEqual(b.messages[0]?.message, ping(1));
  assert.equal(b.messages[0]?.from.name, 'a');
  assert.deepEqual(await a.request(b.address, { type: 'who' }), { type: 'busy', message: 'who?' });
  assert.deepEqual(await b.request(a.address, { type: 'who' }), { type: 'done', epoch: 7, subject: 1 });
});
