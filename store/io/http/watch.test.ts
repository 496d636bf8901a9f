import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { answerSchemas } from './schemas.ts';
import { startTestServer, type TestServer } from './test-server.ts';

type Json = Record<string, unknown>;
type Line = { readonly type: string; readonly operation?: Json; readonly problem?: Json };

/** Four members, four partitions on the first three, and a drain of the second. */
async function draining(options: Parameters<typeof startTestServer>[0] = {}): Promise<[TestServer, string]> {
  const server = await startTestServer(options);
  for (const name of ['node-2', 'node-3', 'node-4']) server.cluster.addMember(name);
  server.cluster.placePartitions([1, 2, 3]);
  const { operation } = await server.cluster.startOperation({
    type: 'drain',
    member: 'node-2',
    by: 'a test',
  });
  return [server, operation as string];
}

async function watch(server: TestServer, id: string): Promise<AsyncIterator<Line>> {
  const answer = await fetch(`${server.url}/v1/operations/${id}:watch`);
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/x-ndjson']);
  return linesOf(createInterface({ input: Readable.fromWeb(answer.body as never) }));
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<Line, void, undefined> {
  for await (const text of texts) yield JSON.parse(text) as Line;
}

async function next(lines: AsyncIterator<Line>): Promise<Line> {
  const { value, done } = await lines.next();
  assert.notEqual(done, true, 'the stream has ended');
  return value;
}

test('a line for each change, of what gossip tells too, and the last one says how it ended', async () => {
  const [server, id] = await draining({ operationLookMs: 20 });
  await using _ = server;
  const lines = await watch(server, id);
  const { type, operation } = await next(lines);
  answerSchemas.Operation.strict().parse(operation);
  assert.deepEqual([type, operation?.partitionsMoving, operation?.blockedBy], ['progress', 0, undefined]);
  server.cluster.startMove(0, [1, 4, 3]);
  assert.deepEqual((await next(lines)).operation?.partitionsMoving, 1);
  server.cluster.liveness.set(4, 'dead');
  assert.match(String((await next(lines)).operation?.blockedBy), /node-4/);
  server.cluster.placePartitions([1, 3, 4]);
  assert.equal((await next(lines)).operation?.partitionsLeft, 0);
  server.cluster.endOperations();
  const last = await next(lines);
  assert.deepEqual([last.type, last.operation?.id, last.operation?.state], ['end', id, 'done']);
  assert.equal((await lines.next()).done, true);
  const again = await watch(server, id);
  assert.equal((await next(again)).type, 'end', 'one that has ended is told at once');
});

test('a line at least every so often, also where nothing changes', async () => {
  const [server, id] = await draining({ streamLineMsMax: 20 });
  await using _ = server;
  const lines = await watch(server, id);
  const first = await next(lines);
  assert.deepEqual(await next(lines), first);
  assert.deepEqual(await next(lines), first);
});

test('it waits and counts as that; a node that stops, and one that has left the cluster, say so', async () => {
  const [server, id] = await draining({ inFlightRequestsMax: 1, waitingRequestsMax: 1, operationLookMs: 20 });
  await using _ = server;
  const lines = await watch(server, id);
  await next(lines);
  const refused = await fetch(`${server.url}/v1/operations/${id}:watch`);
  assert.equal(((await refused.json()) as Json).code, 'OVERLOADED');
  assert.equal((await fetch(`${server.url}/v1/operations/${id}`)).status, 200);
  server.cluster.state = undefined;
  const gone = await next(lines);
  assert.deepEqual([gone.type, gone.problem?.code], ['problem', 'CLUSTER_WAITING']);

  const [stopping, other] = await draining();
  const rest = await watch(stopping, other);
  await next(rest);
  const closed = stopping.http.close(5000);
  const last = await next(rest);
  assert.deepEqual([last.problem?.code, last.problem?.retryable], ['SHUTTING_DOWN', true]);
  assert.equal((await rest.next()).done, true);
  await closed;
});
