import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient, KvorumError, type Outcome, type WriteOptions } from './index.ts';
import { type Fault, TestServer } from './test-server.ts';

/** How often the request is sent where it fails once: 2 is "repeated". `outcome` is what a write that is not says. */
type Rule = {
  readonly what: string;
  readonly fault: Fault;
  readonly read: 1 | 2;
  readonly write: 1 | 2;
  readonly idempotent: 1 | 2;
  readonly outcome?: Outcome;
};

function refused(status: number, code?: string, data?: object): Fault {
  return {
    type: 'refuse',
    status,
    ...(code !== undefined && { code }),
    ...(data !== undefined && { data }),
  };
}

const always = { read: 2, write: 2, idempotent: 2 } as const;
const never = { read: 1, write: 1, idempotent: 1 } as const;
const harmless = { read: 2, write: 1, idempotent: 2, outcome: 'unknown' } as const;

const RULES: readonly Rule[] = [
  { what: 'a connection that broke before', fault: { type: 'cut-before' }, ...harmless },
  { what: 'a connection that broke behind', fault: { type: 'cut-after' }, ...harmless },
  {
    what: 'QUORUM_NOT_MET, unknown',
    fault: refused(503, 'QUORUM_NOT_MET', { outcome: 'unknown' }),
    ...harmless,
  },
  {
    what: 'QUORUM_NOT_MET, unwritten',
    fault: refused(503, 'QUORUM_NOT_MET', { outcome: 'unwritten' }),
    ...always,
  },
  {
    what: 'DEADLINE_EXCEEDED, unknown',
    fault: refused(504, 'DEADLINE_EXCEEDED', { outcome: 'unknown' }),
    ...harmless,
  },
  { what: 'CLOCK_SKEW, unwritten', fault: refused(503, 'CLOCK_SKEW', { outcome: 'unwritten' }), ...always },
  { what: 'a code that is not known yet', fault: refused(503, 'NEW_CODE'), ...harmless },
  { what: 'STORAGE_FAILED', fault: refused(503, 'STORAGE_FAILED'), ...harmless },
  { what: 'OVERLOADED', fault: refused(503, 'OVERLOADED'), ...always },
  { what: '429 with a code', fault: refused(429, 'OVERLOADED'), ...always },
  { what: "a proxy's 429", fault: refused(429), ...always },
  { what: "a proxy's 502", fault: refused(502), ...harmless },
  { what: "a proxy's 503", fault: refused(503), ...harmless },
  { what: "a proxy's 504", fault: refused(504), ...harmless },
  { what: 'SHUTTING_DOWN', fault: refused(503, 'SHUTTING_DOWN'), ...always },
  { what: 'NO_LEADER', fault: refused(503, 'NO_LEADER'), ...always },
  { what: 'CLUSTER_WAITING', fault: refused(503, 'CLUSTER_WAITING'), ...always },
  { what: 'CLUSTER_FORMING', fault: refused(503, 'CLUSTER_FORMING'), ...always },
  {
    what: 'what asks to be looked at first',
    fault: refused(409, 'EPOCH_CHANGED'),
    ...always,
    write: 1,
    outcome: 'unwritten',
  },
  {
    what: 'not retryable, unwritten',
    fault: refused(507, 'STORAGE_FULL', { retryable: false, outcome: 'unwritten' }),
    ...never,
    outcome: 'unwritten',
  },
  {
    what: 'not retryable',
    fault: refused(500, 'INTERNAL', { retryable: false }),
    ...never,
    outcome: 'unknown',
  },
  { what: 'bad', fault: refused(400, 'BAD_TTL', { retryable: false }), ...never, outcome: 'unwritten' },
  {
    what: 'an excluded node that is the only one',
    fault: refused(503, 'MEMBER_EXCLUDED', { retryable: false }),
    ...never,
    outcome: 'unwritten',
  },
];

for (const { what, fault, read, write, idempotent, outcome } of RULES) {
  test(`C1: ${what}: a read is sent ${read} times, a write ${write}, an idempotent one ${idempotent}`, async () => {
    await using server = await TestServer.start();
    await using client = new KvorumClient({ url: server.url, retry: { baseMs: 1 } });
    const sentBy = async (call: () => Promise<unknown>): Promise<[number, unknown]> => {
      const before = server.seen.length;
      server.faults.push(fault);
      const error = await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      return [server.seen.length - before, error];
    };
    const calls = (options?: WriteOptions): (() => Promise<unknown>)[] => [
      () => client.put('default', 'k', 'v', options),
      () => client.delete('default', 'k', options),
      () => client.batch('default', [{ op: 'put', key: 'k', value: 'v' }], options),
    ];
    await client.put('default', 'k', 'v');
    for (const call of [() => client.get('default', 'k'), () => client.scanPage('default', {})]) {
      const [sent, error] = await sentBy(call);
      assert.equal(sent, read);
      if (read === 1) assert.ok(error instanceof KvorumError && error.outcome === undefined);
    }
    for (const call of calls()) {
      const [sent, error] = await sentBy(call);
      assert.equal(sent, write);
      if (write === 1) assert.ok(error instanceof KvorumError && error.outcome === outcome, String(error));
    }
    for (const call of calls({ idempotent: true })) assert.equal((await sentBy(call))[0], idempotent);
  });
}

test('idempotent: one key for all attempts of a call, another one for the next call, none without it', async () => {
  await using server = await TestServer.start();
  await using client = new KvorumClient({ url: server.url, retry: { baseMs: 1 } });
  server.faults.push({ type: 'cut-after' }, { type: 'refuse', status: 503 });
  await client.put('default', 'k', 'v', { idempotent: true });
  await client.delete('default', 'k', { idempotent: true });
  await client.put('default', 'k', 'v');
  const keys = server.headers.map((headers) => headers['idempotency-key']);
  assert.equal(keys.length, 5);
  assert.ok(keys[0] !== undefined && keys[0] === keys[1] && keys[1] === keys[2]);
  assert.ok(keys[3] !== undefined && keys[3] !== keys[0]);
  assert.equal(keys[4], undefined);
});

test('errors: what the node told beside the text is data', async () => {
  await using server = await TestServer.start();
  await using client = new KvorumClient({ url: server.url });
  const answers = [{ name: 'kvorum-2', said: 'silent' }];
  server.faults.push(refused(503, 'QUORUM_NOT_MET', { outcome: 'unknown', answers, retryable: false }));
  await assert.rejects(client.put('default', 'k', 'v'), {
    name: 'KvorumResponseError',
    code: 'QUORUM_NOT_MET',
    status: 503,
    outcome: 'unknown',
    data: { outcome: 'unknown', answers },
  });
});

test('r, w and timeoutMs of a call reach the node, which gets less time than the call', async () => {
  await using server = await TestServer.start();
  await using client = new KvorumClient({ url: server.url });
  await client.put('default', 'k', 'v', { w: 'all', r: 1, ttlSeconds: 5 });
  await client.get('default', 'k', { r: 'all', timeoutMs: 1000 });
  await client.get('default', 'k', { timeoutMs: 1000, serverTimeoutMs: 7 });
  await client.batch('default', [{ op: 'get', key: 'k' }], { r: 1 });
  await Array.fromAsync(client.scan('default', { prefix: 'k' }, { r: 1 }));
  assert.equal(server.seen[0], 'PUT /v1/kv/default/k?ttl=5&r=1&w=all');
  assert.match(server.seen[1] ?? '', /^GET \/v1\/kv\/default\/k\?r=all&timeoutMs=(8\d\d|900)$/);
  assert.equal(server.seen.splice(2, 1)[0], 'GET /v1/kv/default/k?timeoutMs=7');
  assert.equal(server.seen[2], 'POST /v1/kv/default:batch?r=1');
  assert.equal(server.seen[3], 'GET /v1/kv/default?prefix=k&limit=1000&r=1');
});
