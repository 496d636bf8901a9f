import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseInTransaction } from './refused-transaction.ts';
import { show, startTestResp } from './test-resp.ts';

test('a transaction that is sent at once is refused whole: none of its commands is done alone', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  client.send(['MULTI'], ['SET', 'k', 'v'], ['DEL', 'k'], ['EXEC'], ['GET', 'k'], ['SET', 'k', 'w']);
  const replies = (await client.replies(6)).map(show);
  for (const reply of replies.slice(0, 4)) assert.match(reply, /^<ERR NEEDS_LINEARIZABLE /);
  assert.deepEqual(replies.slice(4), ['null', '"OK"']);
});

test('refuseInTransaction: who waited for the answer to MULTI goes on after DISCARD, or a second later', () => {
  const session = { multiAtMs: undefined };
  refuseInTransaction(session, 'multi', 0);
  assert.throws(() => refuseInTransaction(session, 'get', 999), /MULTI before it was refused/);
  refuseInTransaction(session, 'get', 1000);
  refuseInTransaction(session, 'multi', 2000);
  refuseInTransaction(session, 'discard', 2001);
  refuseInTransaction(session, 'get', 2002);
});
