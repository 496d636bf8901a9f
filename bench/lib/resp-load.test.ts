import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { slotOf } from '../../store/core/ring/slot.ts';
import { runRespLoad } from './peer-contenders.ts';
import { buildGo } from './peers.ts';

/** bench/resp-load against servers that answer what a test wants. */
const place = mkdtempSync(join(tmpdir(), 'kvorum-resp-load-'));
const binary = buildGo('resp-load', join(place, 'resp-load'));
const options = { skip: binary === undefined ? 'Go is missing: apt-get install golang' : false };
const servers: Server[] = [];

before(() => assert.equal(process.platform, 'linux', 'the load waits by epoll'));
after(() => {
  for (const server of servers) server.close();
  rmSync(place, { recursive: true, force: true });
});

const VALUE = `$256\r\n${'x'.repeat(256)}\r\n`;

type Answer = (words: readonly string[]) => string | Promise<string>;

/** `host:port` of a server whose answers come in order. */
async function startServer(answer: Answer): Promise<string> {
  const server = createServer((socket) => {
    let received = '';
    let last: Promise<unknown> = Promise.resolve();
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (chunk: string) => {
      received += chunk;
      for (let found = takeCommand(received); found !== undefined; found = takeCommand(received)) {
        const { words, rest } = found;
        received = rest;
        last = last.then(async () => socket.write(await answer(words)));
      }
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function takeCommand(text: string): { readonly words: readonly string[]; readonly rest: string } | undefined {
  const lines = text.split('\r\n');
  const count = Number((lines[0] ?? '').slice(1));
  const size = 1 + 2 * count;
  if (count === 0 || lines.length <= size) return undefined;
  const words = lines.slice(1, size).filter((_, i) => i % 2 === 1);
  return { words, rest: lines.slice(size).join('\r\n') };
}

const load = (flags: Parameters<typeof runRespLoad>[1]) => runRespLoad(binary as string, flags);

test('resp-load --fill puts each key once, with values of the size that is wanted', options, async () => {
  const puts: string[] = [];
  const endpoints = await startServer(([name, key, value]) => {
    puts.push(`${name} ${key} ${value?.length}`);
    return '+OK\r\n';
  });
  const told = await load({ endpoints, clients: 7, depth: 4, keys: 50, 'value-bytes': 9, fill: true });
  assert.deepEqual(puts.toSorted(), Array.from({ length: 50 }, (_, i) => `SET key-${i} 9`).toSorted());
  assert.deepEqual([told.operations, told.errors], [50, {}]);
});

test('resp-load tells what was answered otherwise, and does not count it', options, async () => {
  let asked = 0;
  const replies = ['$3\r\nabc\r\n', '$2\r\nab\r\n', '$-1\r\n', '-ERR BUSY for now\r\n'];
  const endpoints = await startServer(() => replies[asked++ % 4] as string);
  const told = await load({ endpoints, depth: 2, operations: 40, 'value-bytes': 3, seconds: 20 });
  assert.equal(told.operations, 10);
  assert.deepEqual(told.errors, { 'GET: $2': 10, 'GET: no value': 10, 'GET: ERR BUSY': 10 });
});

test('resp-load --wait counts puts when WAIT has confirmed them, and not before', options, async () => {
  const commands: string[] = [];
  const endpoints = await startServer(async ([name, ...words]) => {
    commands.push(name as string);
    if (name === 'SET') return '+OK\r\n';
    assert.equal(words[0], '1');
    await sleep(30);
    return commands.length === 5 ? ':0\r\n' : ':2\r\n';
  });
  const flags = { endpoints, depth: 4, operations: 12, 'put-percent': 100, wait: 1, seconds: 20 };
  const { operations, errors, p50Ms } = await load(flags);
  assert.deepEqual(
    commands,
    [1, 2, 3].flatMap(() => ['SET', 'SET', 'SET', 'SET', 'WAIT']),
  );
  assert.deepEqual([operations, errors], [8, { 'WAIT: :0': 1 }]);
  assert.ok(p50Ms >= 29, `${p50Ms} ms`);
});

test('resp-load --route owners sends each key to the node that owns its slot', options, async () => {
  const wrong: string[] = [];
  const half = 8192;
  const ports: number[] = [];
  const answer =
    (self: number): Answer =>
    ([name, key = '']) => {
      if (name === 'CLUSTER') return slotsOf(ports, half);
      if (Math.floor(slotOf(Buffer.from(key)) / half) !== self) wrong.push(key);
      return VALUE;
    };
  const endpoints = [await startServer(answer(0)), await startServer(answer(1))];
  ports.push(...endpoints.map((endpoint) => Number(endpoint.split(':')[1])));
  const flags = { clients: 3, depth: 8, operations: 400, keys: 1000, route: 'owners', seconds: 20 };
  const told = await load({ endpoints: endpoints[0] as string, ...flags });
  assert.ok(told.operations >= 400);
  assert.deepEqual([wrong, told.errors], [[], {}]);
});

function slotsOf(ports: readonly number[], width: number): string {
  const ranges = ports.map(
    (port, i) => `*3\r\n:${i * width}\r\n:${(i + 1) * width - 1}\r\n*2\r\n$9\r\n127.0.0.1\r\n:${port}\r\n`,
  );
  return `*${ports.length}\r\n${ranges.join('')}`;
}

test('resp-load --rate ends though the next request would be due after the end', options, async () => {
  const endpoints = await startServer(() => VALUE);
  const { operations } = await load({ endpoints, clients: 2, rate: 2, seconds: 0.7 });
  assert.equal(operations, 2);
});

test(
  'resp-load --rate asks so often a second, and a late answer makes the next ones late',
  options,
  async () => {
    const endpoints = await startServer(async () => {
      await sleep(20);
      return VALUE;
    });
    const slow = await load({ endpoints, clients: 20, rate: 200, seconds: 1 });
    assert.ok(slow.operations > 100 && slow.operations <= 201, `${slow.operations} operations`);
    // One client can have 50 answers a second: of 200 that are due, the last one waits for most of the time.
    const { maxMs } = await load({ endpoints, clients: 1, rate: 200, seconds: 1 });
    assert.ok(maxMs > 500, `${maxMs} ms`);
  },
);
