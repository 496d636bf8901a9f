import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KvStore } from '../../storage/kv-store.ts';
import { TestStore } from '../http/test-store.ts';
import { startTestResp } from './test-resp.ts';

/** Waits until `condition` holds; fails where it never does. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) await sleep(5);
  assert.ok(condition());
}

/** A store whose reads and writes end when a test says so, in any order. */
class HeldStore extends TestStore {
  readonly begun: string[] = [];
  readonly #held: { readonly name: string; readonly end: () => void }[] = [];

  override async get(...args: Parameters<KvStore['get']>): ReturnType<KvStore['get']> {
    await this.#hold(`get ${Buffer.from(args[1])}`);
    return await super.get(...args);
  }

  override async put(...args: Parameters<KvStore['put']>): ReturnType<KvStore['put']> {
    await this.#hold(`put ${Buffer.from(args[1])}`);
    return await super.put(...args);
  }

  /** All of that name that have begun. */
  end(name: string): void {
    for (const each of this.#held) if (each.name === name) each.end();
  }

  #hold(name: string): Promise<void> {
    this.begun.push(name);
    return new Promise((resolve) => this.#held.push({ name, end: resolve }));
  }
}

test('commands on other keys run side by side, and are answered in their order', async () => {
  const store = new HeldStore();
  await using resp = await startTestResp({}, { store });
  const client = await resp.connect();
  client.send(['SET', 'a', '1'], ['SET', 'b', '2'], ['GET', 'c'], ['PING']);
  await until(() => store.begun.length === 3);
  store.end('get c');
  store.end('put b');
  await sleep(20);
  assert.equal(client.received, '');
  store.end('put a');
  assert.deepEqual(await client.replies(4), ['OK', 'OK', null, 'PONG']);
});

test('a command sees what those before it on the same connection wrote', async () => {
  const store = new HeldStore();
  await using resp = await startTestResp({}, { store });
  const client = await resp.connect();
  client.send(['GET', 'a'], ['GET', 'a'], ['SET', 'a', '1'], ['GET', 'a'], ['SET', 'b', '2']);
  await until(() => store.begun.length === 2);
  assert.deepEqual(store.begun, ['get a', 'get a']);
  await sleep(10);
  assert.equal(store.begun.length, 2, 'the write waits for the reads');
  store.end('get a');
  await until(() => store.begun.length === 3);
  assert.equal(store.begun[2], 'put a');
  store.end('put a');
  await until(() => store.begun.length === 5);
  store.end('get a');
  store.end('put b');
  assert.deepEqual(await client.replies(5), [null, null, 'OK', '1', 'OK']);
});

test('ten thousand commands at once are answered in order, few at a time', async () => {
  await using resp = await startTestResp({ pipelineMax: 64 });
  const client = await resp.connect();
  const commands = Array.from({ length: 5000 }, (_, i) => [
    ['SET', `k${i % 100}`, `v${i}`],
    ['GET', `k${i % 100}`],
  ]).flat();
  client.send(...commands);
  const replies = await client.replies(10_000);
  for (let i = 0; i < 5000; i++) assert.deepEqual([replies[2 * i], replies[2 * i + 1]], ['OK', `v${i}`]);
});

test('ten thousand commands that need no store are answered as well', async () => {
  await using resp = await startTestResp({ pipelineMax: 64 });
  const client = await resp.connect();
  client.send(...Array.from({ length: 10_000 }, (_, i) => ['ECHO', String(i)]));
  const replies = await client.replies(10_000);
  assert.deepEqual([replies[0], replies[9999]], ['0', '9999']);
});

test('whoever closes its side gets the answers to all that it sent', async () => {
  await using resp = await startTestResp({ pipelineMax: 4 });
  const client = await resp.connect();
  client.send(...Array.from({ length: 50 }, (_, i) => ['SET', `k${i}`, 'v']));
  client.socket.end();
  assert.equal(await client.closed(), '+OK\r\n'.repeat(50));
});

test('a reader who takes nothing stops its own commands, holds little, and is cut in the end', async () => {
  await using resp = await startTestResp({ stallMsMax: 300, outputBytesMax: 65_536 });
  await resp.store.put('default', Buffer.from('k'), { value: Buffer.alloc(1 << 20) });
  const client = await resp.connect();
  client.socket.pause();
  client.send(...Array.from({ length: 500 }, () => ['GET', 'k']));
  const { registry } = resp.metrics;
  const held = async () => Number(/kvorum_resp_in_flight_bytes (\d+)/.exec(await registry.metrics())?.[1]);
  for (let i = 0; i < 400 && (await held()) < 1 << 20; i++) await sleep(5);
  const other = await resp.connect();
  assert.equal(await other.say('PING'), 'PONG');
  await sleep(100);
  const heldAtMost = await held();
  assert.ok(heldAtMost >= 1 << 20 && heldAtMost < 64 << 20, String(heldAtMost));
  // Whoever is cut never sees it while it reads nothing: the memory shows it.
  for (let i = 0; i < 1000 && (await held()) > 0; i++) await sleep(10);
  assert.equal(await held(), 0);
});

test('bytes that are no request end that connection only, behind the answers before them', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const other = await resp.connect();
  client.socket.write('PING\r\n*1\r\n$4\r\nPING\r\n*x\r\nPING\r\n');
  assert.equal(await client.closed(), '+PONG\r\n+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n');
  assert.equal(await other.say('PING'), 'PONG');
});

test('a browser that was sent here gets nothing', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  client.socket.write('POST / HTTP/1.1\r\nHost: x\r\n\r\nSET a b\r\n');
  assert.equal(await client.closed(), '');
  assert.equal(await resp.store.get('default', Buffer.from('a')), undefined);
});

test('one connection more than the limit is refused with the text of Redis', async () => {
  await using resp = await startTestResp({ connectionsMax: 1 });
  const client = await resp.connect();
  assert.equal(await client.say('PING'), 'PONG');
  const refused = await resp.connect();
  assert.equal(await refused.closed(), '-ERR max number of clients reached\r\n');
  assert.equal(await client.say('PING'), 'PONG');
});

test('a connection without commands is closed where there is a limit', async () => {
  await using resp = await startTestResp({ idleTimeoutMs: 200 });
  const client = await resp.connect();
  assert.equal(await client.closed(), '');
});

test('requests beyond the memory that is allowed are refused, and the memory is given back', async () => {
  await using resp = await startTestResp({ inFlightBytesMax: 1 << 20 });
  let open = (): void => {};
  resp.store.gate = new Promise((resolve) => {
    open = resolve;
  });
  const client = await resp.connect();
  const other = await resp.connect();
  client.send(['SET', 'a', Buffer.alloc(1_000_000)], ['SET', 'b', Buffer.alloc(60_000)]);
  const { registry } = resp.metrics;
  const held = async () => Number(/kvorum_resp_in_flight_bytes (\d+)/.exec(await registry.metrics())?.[1]);
  for (let i = 0; i < 200 && (await held()) < 1_060_000; i++) await sleep(5);
  const refused = await other.say('SET c d');
  assert.match((refused as Error).message, /^OOM OVERLOADED .*resp\.inFlightBytesMax/);
  assert.equal(await other.say('PING'), 'PONG');
  open();
  assert.deepEqual(await client.replies(2), ['OK', 'OK']);
  assert.equal(await held(), 0);
  assert.equal(await other.say('SET c d'), 'OK');
});

test('a server that closes answers what is under way, and reads no more', async () => {
  const store = new HeldStore();
  await using resp = await startTestResp({}, { store });
  const client = await resp.connect();
  client.send(['SET', 'a', '1']);
  await until(() => store.begun.length === 1);
  const closing = resp.server.close(5000);
  client.send(['SET', 'b', '1']);
  await sleep(20);
  store.end('put a');
  assert.equal(await client.closed(), '+OK\r\n');
  await closing;
  assert.deepEqual(store.begun, ['put a']);
});
