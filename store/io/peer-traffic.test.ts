import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hello } from '../peer/messages.ts';
import { PeerTraffic } from './peer-traffic.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';
import { TcpTransport } from './tcp/tcp-transport.ts';
import { ping, TEST_OPTIONS, TestNode } from './tcp/test-nodes.ts';

const nothing = (): void => {};

/** A transport whose events go to `traffic`; it says hello like `like` does, from its own address. */
async function startCounted(traffic: PeerTraffic, like: TestNode): Promise<TcpTransport> {
  const transport = new TcpTransport(TEST_OPTIONS, {
    clock: systemClock,
    random: systemRandom,
    events: {
      onProtocolError: nothing,
      onUnreachable: nothing,
      onLinkClosed: nothing,
      onRequestFailed: nothing,
      onTlsFilesError: nothing,
      onDropped: () => traffic.onDropped(),
      onBytes: (direction, bytes) => traffic.onBytes(direction, bytes),
    },
  });
  const hello = (): Hello => ({ ...like.hello(), name: 'counted', peerAddress: transport.address });
  await transport.start({
    hello,
    judge: () => undefined,
    onMessage: nothing,
    onRequest: async () => ({ type: 'busy', message: 'nothing is served here' }),
    onLink: nothing,
    onRefused: (_address, _by, { code }) => traffic.onRefused(code),
  });
  return transport;
}

test('the totals stay when the links that they are of have ended', async () => {
  await using other = await TestNode.start('other');
  const traffic = new PeerTraffic();
  const transport = await startCounted(traffic, other);
  await transport.request(other.address, { type: 'who' }, requestOptions());
  const open = traffic.snapshot(transport.links());
  assert.ok(open.sentBytes > 0 && open.receivedBytes > 0, JSON.stringify(open));

  transport.reset();
  assert.deepEqual(transport.links(), []);
  const ended = traffic.snapshot(transport.links());
  assert.ok(ended.sentBytes >= open.sentBytes && ended.receivedBytes >= open.receivedBytes);
  assert.deepEqual(ended.links, []);
  assert.equal(ended.queuedBytes, 0);

  await transport.request(other.address, { type: 'who' }, requestOptions());
  const again = traffic.snapshot(transport.links());
  assert.ok(again.sentBytes > ended.sentBytes && again.receivedBytes > ended.receivedBytes);
  await transport.close();
});

test('what was dropped and refused is counted', async () => {
  await using other = await TestNode.start('other');
  other.judge = () => ({ code: 'WRONG_CLUSTER', message: 'this is another cluster' });
  const traffic = new PeerTraffic();
  const transport = await startCounted(traffic, other);
  transport.send(other.address, ping(1));
  await assert.rejects(transport.request(other.address, { type: 'who' }, requestOptions()));
  const { refusedHandshakes, droppedMessages } = traffic.snapshot(transport.links());
  assert.deepEqual(refusedHandshakes, { WRONG_CLUSTER: 1 });
  assert.equal(droppedMessages, 1);
  await transport.close();
});

test('round trips are of peers whose name and round trip are known', () => {
  const link = { address: 'a:1', state: 'open', sentBytes: 1, receivedBytes: 2, dropped: 0 } as const;
  const { links, queuedBytes } = new PeerTraffic().snapshot([
    { ...link, name: 'known', queuedBytes: 3, roundTripMs: 2 },
    { ...link, name: undefined, queuedBytes: 4, roundTripMs: 1 },
    { ...link, name: 'quiet', queuedBytes: 0, roundTripMs: undefined },
  ]);
  assert.deepEqual(links, [{ name: 'known', roundTripSeconds: 0.002 }]);
  assert.equal(queuedBytes, 7);
});

const requestOptions = () => ({ timeoutMs: 5000, signal: new AbortController().signal });
