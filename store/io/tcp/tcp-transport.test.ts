import assert from 'node:assert/strict';
import test from 'node:test';
import type { PeerMessage, PeerReply } from '../../peer/messages.ts';
import { PeerError } from '../../ports/transport.ts';
import { rawListener } from './raw-peer.ts';
import { ping, TestNode } from './test-nodes.ts';

const opts = { timeout: 30_000 };

const rejects = (promise: Promise<unknown>, code: PeerError['code'], isUnsent: boolean, message = /./) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof PeerError);
    assert.deepEqual([error.code, error.isUnsent], [code, isUnsent], error.message);
    assert.match(error.message, message);
    return true;
  });

/** A chunk of a snapshot: what goes by the bulk lane. */
const bulk = (bytes: number): PeerMessage => ({
  type: 'raft',
  message: {
    type: 'snapshot',
    from: 1,
    to: 2,
    term: 1 as never,
    meta: {
      index: 1 as never,
      term: 1 as never,
      configuration: { voters: [1], votersOutgoing: [], learners: [] },
    },
    offset: 0,
    bytesTotal: bytes,
    data: new Uint8Array(bytes),
  },
});

const isBulk = ({ message }: { readonly message: PeerMessage }): boolean => message.type === 'raft';

test('messages and requests go both ways', opts, async () => {
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

test('messages of one turn arrive in order; concurrent requests get their own replies', opts, async () => {
  await using a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  b.serve = async (request) => ({ type: 'done', epoch: 1 as never, subject: (request as { to: number }).to });
  for (let n = 0; n < 1000; n++) a.transport.send(b.address, ping(n));
  const replies = await Promise.all(
    Array.from({ length: 500 }, (_, n) => a.request(b.address, { type: 'transfer-leadership', to: n + 1 })),
  );
  assert.deepEqual(
    replies,
    Array.from({ length: 500 }, (_, n) => ({ type: 'done', epoch: 1, subject: n + 1 })),
  );
  await b.until(() => b.messages.length === 1000);
  assert.deepEqual(
    b.messages.map(({ message }) => message),
    Array.from({ length: 1000 }, (_, n) => ping(n)),
  );
});

test('one link for each way, even when both sides dial at once', opts, async () => {
  await using a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  const who: PeerReply = { type: 'busy', message: 'here' };
  a.serve = async () => who;
  b.serve = async () => who;
  const both = await Promise.all([
    ...Array.from({ length: 20 }, () => a.request(b.address, { type: 'who' })),
    ...Array.from({ length: 20 }, () => b.request(a.address, { type: 'who' })),
  ]);
  assert.deepEqual(both, Array(40).fill(who));
  // Each side saw two handshakes: that of the link it dialled, and that of the one it accepted.
  assert.deepEqual([a.linked.length, b.linked.length], [2, 2]);
  assert.deepEqual(
    a.transport.links().map(({ address, name, state }) => ({ address, name, state })),
    [{ address: b.address, name: 'b', state: 'open' }],
  );
});

test(
  'an address that leads nowhere: who has linked from there is answered and asked over its own link',
  opts,
  async () => {
    await using silent = await rawListener(() => {});
    // As the name of a pod that has just moved, which still leads to where it was.
    await using a = await TestNode.start('a', { advertise: silent.address });
    await using b = await TestNode.start('b', { connectTimeoutMs: 20_000 });
    a.serve = async () => ({ type: 'busy', message: 'here' });
    const [early, waiting] = [ping(1), b.request(a.address, { type: 'who' })];
    assert.equal(b.transport.send(a.address, early), true, 'it waits for a link');
    a.transport.send(b.address, ping(2));
    assert.deepEqual(await waiting, { type: 'busy', message: 'here' });
    b.transport.send(a.address, ping(3));
    await a.until(() => a.messages.length === 2);
    assert.deepEqual(
      a.messages.map(({ message }) => message),
      [early, ping(3)],
    );
    assert.deepEqual(await b.request(a.address, { type: 'who' }), { type: 'busy', message: 'here' });
    assert.deepEqual(b.log, [], 'the attempt to reach the address goes on');
  },
);

test('urgent messages overtake a bulk load', opts, async () => {
  await using a = await TestNode.start('a', { queueBytesMax: 64 << 20 });
  await using b = await TestNode.start('b');
  a.transport.send(b.address, ping(0));
  await b.until(() => b.messages.length === 1);
  for (let n = 0; n < 60; n++) a.transport.send(b.address, bulk(1_000_000));
  await b.until(() => b.messages.some(isBulk));
  a.transport.send(b.address, ping(1));
  await b.until(() => b.messages.filter((got) => !isBulk(got)).length === 2);
  const before = b.messages.filter(isBulk).length;
  assert.ok(before < 30, `${before} of 60 bulk messages came before the urgent one`);
  await b.until(() => b.messages.filter(isBulk).length === 60);
});

test('what does not fit the queue: messages are dropped and counted, requests fail', opts, async () => {
  await using a = await TestNode.start('a', { queueBytesMax: 2_000_000 });
  await using b = await TestNode.start('b');
  b.serve = async () => ({ type: 'busy', message: '' });
  const fill = (): void => {
    for (let n = 0; n < 10; n++) a.transport.send(b.address, bulk(900_000));
  };
  fill(); // before there is a link
  await rejects(a.request(b.address, big()), 'OVERLOADED', true, /wait for .*peer\.queueBytesMax/);
  await b.until(() => b.messages.length === 2);
  assert.equal(a.transport.links()[0]?.dropped, 8);
  fill(); // on the open link
  await rejects(a.request(b.address, big()), 'OVERLOADED', true, /wait for .*peer\.queueBytesMax/);
  assert.ok((a.transport.links()[0]?.dropped ?? 0) >= 8 + 7);
  await b.until(() => b.messages.length >= 4);
  assert.equal((await a.request(b.address, { type: 'who' })).type, 'busy');
});

test('what is larger than a frame may be is not sent: it would cost the link', opts, async () => {
  await using a = await TestNode.start('a', { frameBytesMax: 100_000 });
  await using b = await TestNode.start('b', { frameBytesMax: 100_000 });
  b.serve = async () => ({
    type: 'who',
    clusterId: undefined,
    leader: undefined,
    addresses: Array(900).fill('x'.repeat(150)),
    refusal: undefined,
  });
  a.transport.send(b.address, bulk(200_000));
  await rejects(a.request(b.address, big()), 'OVERLOADED', true, /a request of \d+ bytes; at most 100000/);
  await rejects(a.request(b.address, { type: 'who' }, 200), 'TIMEOUT', false);
  assert.match(b.log.join(), /a reply of \d+ bytes; at most 100000 \(peer\.frameBytesMax\)/);
  assert.deepEqual([a.traffic.dropped, a.linked.length, b.messages.length], [1, 1, 0]);
});

/** A request of about 300 KB. */
function big() {
  const replicaSets = Array.from({ length: 4096 }, () => Array<number>(75).fill(1));
  return {
    type: 'propose',
    command: { type: 'place-partitions', expectedEpoch: 1 as never, replicaSets },
  } as const;
}

test('a request ends by timeout, by its signal, or before it begins', opts, async () => {
  await using a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  const served: AbortSignal[] = [];
  b.serve = (_request, signal) => {
    served.push(signal);
    return new Promise(() => {});
  };
  await rejects(a.request(b.address, { type: 'who' }, 50), 'TIMEOUT', false, /no answer within 50 ms/);
  const abort = new AbortController();
  const request = a.transport.request(b.address, { type: 'who' }, { timeoutMs: 9000, signal: abort.signal });
  abort.abort();
  await rejects(request, 'ABORTED', true);
  const again = a.transport.request(b.address, { type: 'who' }, { timeoutMs: 9000, signal: abort.signal });
  await rejects(again, 'ABORTED', true);
  assert.equal((await a.request(b.address, { type: 'who' }, 50).catch((error) => error)).code, 'TIMEOUT');
  assert.equal(served[0]?.aborted, false);
  a.transport.reset();
  await b.until(() => b.log.some((line) => line.startsWith('closed:')));
  assert.equal(served[0]?.aborted, true);
});

test('a request whose serving fails is answered by silence, and the failure is told here', opts, async () => {
  await using a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  b.serve = async () => {
    throw new Error('no idea');
  };
  await rejects(a.request(b.address, { type: 'who' }, 100), 'TIMEOUT', false);
  assert.deepEqual(b.log, ['request failed: Error: no idea']);
});

test(
  'nobody there: requests fail unsent, messages are dropped, attempts end when nobody asks',
  opts,
  async () => {
    await using a = await TestNode.start('a', { idleTimeoutMs: 100, reconnectMsMax: 20 });
    const gone = await TestNode.start('gone');
    const { address } = gone;
    await gone.transport.close();
    a.transport.send(address, ping(1));
    await rejects(a.request(address, { type: 'who' }), 'UNREACHABLE', true, /ECONNREFUSED/);
    assert.equal(a.transport.links()[0]?.dropped, 1);
    await until(() => a.transport.links().length === 0);
    // The same reason is told once, however often it was tried.
    assert.equal(a.log.filter((line) => line.startsWith('unreachable')).length, 1);
  },
);

/** For what raises no event: looks again each turn, and the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test('no address, no connection', opts, async () => {
  await using a = await TestNode.start('a');
  await rejects(
    a.request('nowhere', { type: 'who' }),
    'UNREACHABLE',
    true,
    /"nowhere" is no peer address: host:port/,
  );
});

test('the link comes back after the other node restarted', opts, async () => {
  await using a = await TestNode.start('a');
  const first = await TestNode.start('b');
  const { address } = first;
  const port = Number(address.split(':')[1]);
  a.transport.send(address, ping(1));
  await first.until(() => first.messages.length === 1);
  await first.transport.close();
  await a.until(() => a.log.some((line) => line.includes('said goodbye')));
  await using second = await TestNode.start('b', { port });
  // It dials by itself: the address was asked for a moment ago.
  await a.until(() => a.linked.length === 2);
  a.transport.send(address, ping(2));
  await second.until(() => second.messages.length === 1);
  assert.deepEqual(second.messages[0]?.message, ping(2));
});

test('a request under way when the link breaks has an unknown outcome', opts, async () => {
  await using a = await TestNode.start('a');
  const b = await TestNode.start('b');
  const asked = Promise.withResolvers<void>();
  b.serve = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const request = a.request(b.address, { type: 'who' });
  await asked.promise;
  await Promise.all([rejects(request, 'UNREACHABLE', false, /said goodbye/), b.transport.close()]);
});

test('reset: both sides say hello again', opts, async () => {
  await using a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  b.serve = async (_request, _signal, from) => ({ type: 'busy', message: from.version });
  a.serve = async () => ({ type: 'busy', message: '' });
  assert.deepEqual(await a.request(b.address, { type: 'who' }), { type: 'busy', message: '0.0.0' });
  await b.request(a.address, { type: 'who' });
  // It may have gone over the link that a made.
  await a.until(() => a.linked.length === 2);
  await b.until(() => b.linked.length === 2);
  a.helloChange = { version: '9.9.9' };
  a.transport.reset();
  await b.until(() => b.log.filter((line) => line.startsWith('closed:')).length === 2);
  assert.deepEqual(await a.request(b.address, { type: 'who' }), { type: 'busy', message: '9.9.9' });
  await b.request(a.address, { type: 'who' });
  assert.deepEqual(new Set(b.linked.slice(2).map(({ version }) => version)), new Set(['9.9.9']));
});

test('a link that is not used any more is closed', opts, async () => {
  await using a = await TestNode.start('a', { unusedMsMax: 50 });
  await using b = await TestNode.start('b');
  a.transport.send(b.address, ping(1));
  await b.until(() => b.log.some((line) => line.includes('said goodbye')));
  await until(() => a.transport.links().length === 0);
  a.transport.send(b.address, ping(2));
  await b.until(() => b.messages.length === 2);
});

test('heartbeats measure the round trip and count bytes', opts, async () => {
  await using a = await TestNode.start('a', { heartbeatMs: 10 });
  await using b = await TestNode.start('b', { heartbeatMs: 10 });
  a.transport.send(b.address, ping(1));
  await until(() => a.transport.links()[0]?.roundTripMs !== undefined);
  const [link] = a.transport.links();
  assert.ok(link !== undefined && link.roundTripMs !== undefined && link.roundTripMs < 1000);
  assert.ok(link.sentBytes > 100 && link.receivedBytes > 100);
  assert.ok(a.traffic.sent >= link.sentBytes && a.traffic.received >= link.receivedBytes);
  await until(() => (a.transport.links()[0]?.sentBytes ?? 0) > link.sentBytes + 100);
});

test('close: requests under way fail, later ones are refused, closing twice is harmless', opts, async () => {
  const a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  const asked = Promise.withResolvers<void>();
  b.serve = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const request = a.request(b.address, { type: 'who' });
  await asked.promise;
  await Promise.all([rejects(request, 'CLOSED', false), a.transport.close(), a.transport.close()]);
  await rejects(a.request(b.address, { type: 'who' }), 'CLOSED', true, /this node is stopping/);
  a.transport.send(b.address, ping(1));
  await b.until(() => b.log.includes('closed: the other side said goodbye'));
});

test('what was sent before close still arrives', opts, async () => {
  const a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  a.transport.send(b.address, ping(0));
  await b.until(() => b.messages.length === 1);
  for (let n = 1; n <= 100; n++) a.transport.send(b.address, ping(n));
  await a.transport.close();
  await b.until(() => b.messages.length === 101);
});

test('a port that is taken is an error of start', opts, async () => {
  await using a = await TestNode.start('a');
  const port = Number(a.address.split(':')[1]);
  await assert.rejects(TestNode.start('b', { port }), /EADDRINUSE/);
});
