import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeBody } from '../../peer/codec.ts';
import { PART_BYTES_MAX, REQUESTS_SERVED_MAX } from '../../peer/limits.ts';
import { packedMessages, peerRequests } from '../../peer/test-messages.ts';
import { frameBytes, helloBytes, RawPeer } from './raw-peer.ts';
import { ping, TestNode } from './test-nodes.ts';

const opts = { timeout: 60_000 };
const NOTHING = new Uint8Array(0);

/** A node, and a friend whose link must not notice what strangers send. */
async function withFriend() {
  const node = await TestNode.start('node');
  const friend = await TestNode.start('friend');
  node.serve = async () => ({ type: 'busy', message: 'still here' });
  friend.transport.send(node.address, ping(1));
  await node.until(() => node.messages.length === 1);
  const isUnharmed = async (): Promise<void> => {
    const reply = await friend.request(node.address, { type: 'who' });
    assert.deepEqual(reply, { type: 'busy', message: 'still here' });
    assert.equal(friend.linked.length, 1);
  };
  return {
    node,
    isUnharmed,
    async [Symbol.asyncDispose]() {
      await friend.transport.close();
      await node.transport.close();
    },
  };
}

const big = new Uint8Array(PART_BYTES_MAX + 1);
const part = new Uint8Array(PART_BYTES_MAX);
const more = { hasMore: true } as const;
const afterHello: Record<string, [readonly Uint8Array[], RegExp]> = {
  'random bytes': [[Buffer.from('deadbeefdeadbeefdeadbeef', 'hex')], /frame of unknown kind/],
  'an oversized frame': [[frameBytes('message', big)], /message frame of 65537 bytes; at most 65536/],
  'too many parts': [Array(18).fill(frameBytes('request', part, more)), /request of more than 1048576 bytes/],
  'parts mixed up': [[frameBytes('request', part, more), frameBytes('reply', part)], /inside an unfinished/],
  'a second hello': [[frameBytes('hello', NOTHING)], /a hello frame after the handshake/],
  'a message that is none': [[frameBytes('message', new Uint8Array([0xc1]))], /not allowed \(0xc1\)/],
  'a message that is no message': [[frameBytes('message', encodeBody({ type: 'who' }))], /type: /],
  'a reply to nothing that is no reply': [[frameBytes('reply', new Uint8Array([0x01]))], /the payload: /],
};
for (const [what, [bytes, message]] of Object.entries(afterHello)) {
  test(`${what} costs that connection and nothing else`, opts, async () => {
    await using world = await withFriend();
    using raw = await RawPeer.connect(world.node.address);
    raw.write(helloBytes({ ...world.node.hello(), name: 'raw' }), frameBytes('heartbeat', NOTHING), ...bytes);
    await raw.closed;
    await world.node.until(() => world.node.log.some((line) => line.startsWith('protocol error')));
    assert.match(world.node.log.join('\n'), message);
    await world.isUnharmed();
  });
}

const beforeHello: Record<string, [Uint8Array, RegExp]> = {
  HTTP: [
    Buffer.from('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'),
    /speaks HTTP: this is the port for other nodes/,
  ],
  'a TLS client': [Buffer.from('16030100f5010000f1030300000000', 'hex'), /speaks TLS and this node does not/],
  'a message': [frameBytes('message', encodeBody(ping(1))), /a message frame before the handshake/],
  'a long hello': [frameBytes('hello', new Uint8Array(5000)), /hello frame of 5000 bytes; at most 4096/],
  zeros: [new Uint8Array(100), /unknown kind 0/],
};
for (const [what, [bytes, message]] of Object.entries(beforeHello)) {
  test(`${what} instead of a hello costs that connection and says what it was`, opts, async () => {
    await using world = await withFriend();
    using raw = await RawPeer.connect(world.node.address);
    raw.write(bytes);
    await raw.closed;
    await world.node.until(() => world.node.log.length > 0);
    assert.match(world.node.log[0] ?? '', message);
    await world.isUnharmed();
  });
}

test('half a frame and then nothing, or a cut, costs nothing', opts, async () => {
  await using world = await withFriend();
  for (const length of [1, 9, 10, 40]) {
    using raw = await RawPeer.connect(world.node.address);
    raw.write(helloBytes({ ...world.node.hello(), name: 'raw' }), frameBytes('heartbeat', NOTHING));
    await raw.got('heartbeat-reply');
    raw.write(frameBytes('message', encodeBody(ping(9))).subarray(0, length));
    raw.socket.resetAndDestroy();
    await raw.closed;
  }
  await world.node.until(() => world.node.log.filter((line) => line.startsWith('closed:')).length === 4);
  assert.equal(world.node.messages.length, 1);
  await world.isUnharmed();
});

test('damaged frames in whatever chunks: the node serves on', opts, async () => {
  await using world = await withFriend();
  const hello = helloBytes({ ...world.node.hello(), name: 'raw' });
  const bodies = fc.oneof(
    packedMessages.map((body) => frameBytes('message', encodeBody(body))),
    peerRequests.map((body) => frameBytes('request', encodeBody(body), { correlation: 5 })),
  );
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
  const damaged = fc.tuple(fc.array(bodies, { minLength: 1, maxLength: 5 }), flips, fc.boolean());
  await fc.assert(
    fc.asyncProperty(damaged, async ([all, changes, isHelloDamaged]) => {
      const bytes = Buffer.concat([hello, ...all]);
      for (const [at, mask] of changes) {
        const start = isHelloDamaged ? 0 : hello.length;
        bytes[start + (at % (bytes.length - start))]! ^= mask;
      }
      using raw = await RawPeer.connect(world.node.address);
      raw.socket.end(bytes);
      await raw.closed;
    }),
    { numRuns: 200 },
  );
  await world.isUnharmed();
});

test('more requests at once than are served are told to come later', opts, async () => {
  await using world = await withFriend();
  world.node.serve = () => new Promise(() => {});
  using raw = await RawPeer.connect(world.node.address);
  const request = (correlation: number) =>
    frameBytes('request', encodeBody({ type: 'who' }), { correlation });
  raw.write(
    helloBytes({ ...world.node.hello(), name: 'raw' }),
    ...Array.from({ length: REQUESTS_SERVED_MAX + 1 }, (_, n) => request(n + 1)),
  );
  assert.equal((await raw.got('reply')).correlation, REQUESTS_SERVED_MAX + 1);
});
