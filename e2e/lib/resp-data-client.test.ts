import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { startTestResp } from '../../store/io/resp/test-resp.ts';
import type { KeyIntent } from './data-client.ts';
import { RespDataClient, respOutcome } from './resp-data-client.ts';

const PUT: KeyIntent = { type: 'put', key: 'k', value: 'v' };
const GET: KeyIntent = { type: 'get', key: 'k' };
const DELETE: KeyIntent = { type: 'delete', key: 'k' };

/** Whether a write is known not to have been done, and the code, of an answer to it. */
function refusal(message: string): string {
  const outcome = respOutcome(PUT, new Error(message));
  assert.equal(outcome.type, 'refused');
  return outcome.type === 'refused' ? `${outcome.status} ${outcome.code} ${outcome.isUnwritten}` : '';
}

test('respOutcome: only prefixes that clients repeat are known not to have written; the code is that of HTTP', () => {
  assert.equal(refusal('CLUSTERDOWN QUORUM_NOT_MET 1 of 2 answered'), '503 QUORUM_NOT_MET true');
  assert.equal(refusal('ERR QUORUM_NOT_MET 1 of 2 answered'), '503 QUORUM_NOT_MET false');
  assert.equal(refusal('ERR DEADLINE_EXCEEDED no quorum in time'), '504 DEADLINE_EXCEEDED false');
  assert.equal(refusal('TRYAGAIN OVERLOADED too much'), '503 OVERLOADED true');
  assert.equal(refusal('OOM STORAGE_FULL no room'), '507 STORAGE_FULL true');
  assert.equal(refusal('ERR syntax error'), '400 ERR false');
  assert.deepEqual(respOutcome(GET, null), { type: 'done', value: undefined });
  assert.deepEqual(respOutcome(DELETE, 1), { type: 'done', value: undefined });
  assert.equal(respOutcome(GET, 1).type, 'refused');
  assert.equal(respOutcome(PUT, 'QUEUED').type, 'refused');
});

test('RespDataClient: a pipeline is answered one by one; nobody who listens has heard nothing', async () => {
  using client = new RespDataClient();
  const resp = await startTestResp();
  const target = { host: '127.0.0.1', port: resp.port };
  const done = (value?: string) => ({ type: 'done', value }) as const;
  assert.deepEqual(await client.sendPipeline(target, [PUT, GET, DELETE, GET]), [
    ...[done(), done('v'), done(), done()],
  ]);
  await resp[Symbol.asyncDispose]();
  // One of its own: the other may not have seen yet that its idle connection has ended.
  using late = new RespDataClient();
  const refused = await late.send(target, PUT);
  assert.ok(refused.type === 'refused' && refused.isUnwritten && refused.code === 'ECONNREFUSED');
});

test('RespDataClient: of a command that was sent to a connection that breaks nothing is known', async () => {
  using client = new RespDataClient();
  const server = createServer((socket) => socket.once('data', () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const refused = await client.send({ host: '127.0.0.1', port }, PUT);
  assert.ok(refused.type === 'refused' && !refused.isUnwritten && refused.status === 0);
  server.close();
});
