import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient, KvorumTimeoutError } from './index.ts';
import { TestServer } from './test-server.ts';

test('a function that gives the token: asked before each request; one that fails, or never answers, ends the call unsent', async () => {
  await using server = await TestServer.start();
  const given: (string | undefined)[] = ['first', undefined, 'third'];
  await using asked = new KvorumClient({ url: server.url, ring: false, token: async () => given.shift() });
  for (let i = 0; i < 3; i++) await asked.put('default', 'a', 'x');
  assert.equal(given.length, 0);
  const none = new AbortController();
  let calls = 0;
  const hangs = (): Promise<string> => {
    calls++;
    return new Promise((resolve) => none.signal.addEventListener('abort', () => resolve('late')));
  };
  await using waiting = new KvorumClient({ url: server.url, ring: false, timeoutMs: 100, token: hangs });
  await assert.rejects(waiting.put('default', 'b', 'x'), (error) => {
    assert.ok(error instanceof KvorumTimeoutError, String(error));
    assert.equal(error.outcome, 'unwritten');
    return true;
  });
  assert.equal(calls, 1);
  await using failing = new KvorumClient({ url: server.url, token: () => assert.fail('none today') });
  await assert.rejects(
    failing.put('default', 'b', 'x'),
    /TypeError: the function that gives the token failed: none today/,
  );
  await using plain = new KvorumClient({ url: server.url });
  assert.equal(await plain.get('default', 'b'), undefined);
});
