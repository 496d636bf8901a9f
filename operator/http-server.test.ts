import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startOperatorHttp } from './http-server.ts';
import { createOperatorMetrics } from './metrics.ts';

async function setup(ready: Record<string, () => string | undefined> = {}) {
  const deps = { live: { loop: () => undefined }, ready, metrics: createOperatorMetrics().registry };
  const server = await startOperatorHttp({ host: '127.0.0.1', port: 0 }, deps);
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return {
      status: response.status,
      text: await response.text(),
      type: response.headers.get('content-type'),
    };
  };
  return { ask, [Symbol.asyncDispose]: () => server.close() };
}

test('readiness is that of all checks, each with its name and what is wrong', async () => {
  let wrong: string | undefined = 'pods are not listed yet';
  await using world = await setup({ caches: () => wrong, api: () => undefined });
  assert.deepEqual(await world.ask('/readyz'), {
    ...{ status: 503, type: 'text/plain; charset=utf-8' },
    text: '[-] caches: pods are not listed yet\n[+] api ok\nnot ok\n',
  });
  assert.equal((await world.ask('/livez')).status, 200);
  wrong = undefined;
  assert.deepEqual((await world.ask('/readyz?verbose')).text, '[+] caches ok\n[+] api ok\nok\n');
});

test('metrics are those of the registry', async () => {
  await using world = await setup();
  const { status, text, type } = await world.ask('/metrics');
  assert.equal(status, 200);
  assert.match(type ?? '', /^text\/plain; version=0.0.4/);
  assert.match(text, /^kvorum_operator_is_leader 0$/m);
});

test('nothing else is there, and nothing can be changed; a check that fails is no crash', async () => {
  await using world = await setup({
    bug: () => {
      throw new Error('a bug');
    },
  });
  assert.deepEqual([(await world.ask('/')).status, (await world.ask('/livez', 'POST')).status], [404, 405]);
  assert.deepEqual(await world.ask('/readyz'), {
    status: 500,
    text: 'a bug\n',
    type: 'text/plain; charset=utf-8',
  });
  assert.equal((await world.ask('/livez', 'HEAD')).text, '');
});
