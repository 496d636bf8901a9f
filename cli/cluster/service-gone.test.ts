import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { test } from 'node:test';
import { ServiceGone, serviceName } from './service-gone.ts';

const NO_ERROR = 0;
const SERVER_FAILED = 2;
const NO_SUCH_NAME = 3;

/** A name server that answers every question with a code and without an address. */
async function nameServer() {
  const socket = createSocket('udp4');
  const server = {
    code: NO_ERROR,
    asked: 0,
    port: 0,
    [Symbol.asyncDispose]: async () => void socket.close(),
  };
  socket.on('message', (query, { port, address }) => {
    server.asked++;
    const answer = Buffer.from(query);
    answer[2] = 0x81; // an answer
    answer[3] = 0x80 | server.code;
    socket.send(answer, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  server.port = socket.address().port;
  return server;
}

test('a Service is gone when the name server says twice in a row that there is no such name', async () => {
  await using server = await nameServer();
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.port}`]);
  const service = new ServiceGone('kv-peers.shop.svc.cluster.local', { resolver });
  const saidAfter = async (code: number): Promise<boolean> => {
    server.code = code;
    return await service.ask();
  };
  assert.equal(await saidAfter(NO_SUCH_NAME), false, 'once may be a mistake');
  assert.equal(await saidAfter(NO_ERROR), false, 'a name without addresses is a name');
  assert.equal(await saidAfter(NO_SUCH_NAME), false);
  assert.equal(await saidAfter(SERVER_FAILED), false, 'one that failed knows nothing');
  assert.equal(await saidAfter(NO_SUCH_NAME), false);
  assert.equal(await saidAfter(NO_SUCH_NAME), true);
  assert.equal(server.asked >= 6, true);
});

test('without a Service nobody is asked', async () => {
  const resolver = { resolve4: () => assert.fail('asked') } as never;
  assert.equal(await new ServiceGone(undefined, { resolver }).ask(), false);
});

test('the name of the Service, with the domain that pods search', () => {
  const conf =
    'nameserver 10.96.0.10\nsearch shop.svc.example.org svc.example.org example.org\noptions ndots:5\n';
  assert.equal(serviceName('kv-0.kv-peers.shop.svc', conf), 'kv-peers.shop.svc.example.org');
  assert.equal(serviceName('kv-0.kv-peers.shop.svc', 'search example.org'), undefined);
  assert.equal(serviceName('node-1.example.org', conf), undefined);
  assert.equal(serviceName(undefined, conf), undefined);
});
