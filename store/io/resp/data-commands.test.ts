import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterError } from '../../cluster/cluster-admin.ts';
import { KvError } from '../../storage/errors.ts';
import { show, startTestResp } from './test-resp.ts';

async function assertScript(script: readonly (readonly [string, string])[]): Promise<void> {
  await using resp = await startTestResp({ keyBytesMax: 8, valueBytesMax: 16 });
  const client = await resp.connect();
  for (const [line, expected] of script) assert.equal(show(await client.say(line)), expected, line);
}

test('keys and values', () =>
  assertScript([
    ['GET k', 'null'],
    ['SET k hello', '"OK"'],
    ['GET k', '"hello"'],
    ['STRLEN k', '5'],
    ['STRLEN nope', '0'],
    ['TYPE k', '"string"'],
    ['TYPE nope', '"none"'],
    ['GETRANGE k 1 3', '"ell"'],
    ['GETRANGE k -3 -1', '"llo"'],
    ['GETRANGE k 0 -1', '"hello"'],
    ['GETRANGE k 3 1', '""'],
    ['GETRANGE k -99 99', '"hello"'],
    ['GETRANGE nope 0 -1', '""'],
    ['GETRANGE k a b', '<ERR value is not an integer or out of range>'],
    ['MSET a 1 b 2 a 3', '"OK"'],
    ['MGET a b nope a', '["3","2",null,"3"]'],
    ['MSET a', "<ERR wrong number of arguments for 'mset' command>"],
    ['MSET a 1 b', "<ERR wrong number of arguments for 'mset' command>"],
    ['EXISTS a a nope', '2'],
    ['DEL a a nope b', '2'],
    ['UNLINK k', '1'],
    ['DEL k', '0'],
    ['GET', "<ERR wrong number of arguments for 'get' command>"],
    [
      'SET toolongkey v',
      '<ERR KEY_TOO_LONG the key has 10 bytes; at most 8 are allowed (limits.keyBytesMax)>',
    ],
    ['SET  v', '<ERR KEY_EMPTY the key is empty; use one of at least one byte>'],
    [
      'SET k 12345678901234567',
      '<ERR VALUE_TOO_LARGE the value has 17 bytes; at most 16 are allowed (limits.valueBytesMax)>',
    ],
  ]));

test('expiry', async () => {
  await assertScript([
    ['TTL nope', '-2'],
    ['SET k v', '"OK"'],
    ['TTL k', '-1'],
    ['PEXPIRETIME k', '-1'],
    ['SET k v EX 100', '"OK"'],
    ['TTL k', '100'],
    ['SET k v EXAT 4102444800', '"OK"'],
    ['EXPIRETIME k', '4102444800'],
    ['PEXPIRETIME k', '4102444800000'],
    ['SET k v PXAT 4102444800123', '"OK"'],
    ['PEXPIRETIME k', '4102444800123'],
    ['SETEX k 50 v', '"OK"'],
    ['TTL k', '50'],
    ['PSETEX k 70000 v', '"OK"'],
    ['TTL k', '70'],
    ['SET k v EXAT 1', '"OK"'],
    ['GET k', 'null'],
    ['SET k v EX 0', "<ERR invalid expire time in 'set' command>"],
    ['SET k v EX -1', "<ERR invalid expire time in 'set' command>"],
    ['SETEX k 0 v', "<ERR invalid expire time in 'setex' command>"],
    ['SET k v PX 9223372036854775807', "<ERR invalid expire time in 'set' command>"],
    ['SET k v EX abc', '<ERR value is not an integer or out of range>'],
    ['SET k v EX', '<ERR syntax error>'],
    ['SET k v FOO', '<ERR syntax error>'],
    ['SET k v EX 1 PX 1', '<ERR syntax error>'],
  ]);
});

test('what reads and writes in one step is refused, and names the class that could', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const lines = ['INCR n', 'APPEND k v', 'SET k v NX', 'SET k v GET', 'SET k v EX 9 KEEPTTL', 'EXPIRE k 9'];
  for (const line of [...lines, 'EVAL x 0', 'GETSET a b', 'setnx a b', 'MULTI', 'DISCARD'])
    assert.match(show(await client.say(line)), /^<ERR NEEDS_LINEARIZABLE .*class linearizable/, line);
  assert.equal(await client.say('EXISTS n k a'), 0);
});

test('a namespace is chosen by KV.NAMESPACE, or by the user', async () => {
  await using resp = await startTestResp();
  await resp.store.createNamespace('orders');
  const client = await resp.connect();
  await client.say('SET k default');
  assert.equal(await client.say('KV.NAMESPACE'), 'default');
  // The command behind it must see the new one already.
  client.send(['KV.NAMESPACE', 'orders'], ['SET', 'k', 'orders'], ['GET', 'k'], ['KV.NAMESPACE']);
  assert.deepEqual(await client.replies(4), ['OK', 'OK', 'orders', 'orders']);
  assert.match(show(await client.say('KV.NAMESPACE nothing')), /^<ERR NAMESPACE_NOT_FOUND /);
  assert.match(show(await client.say('KV.NAMESPACE A_B')), /^<ERR BAD_NAMESPACE_NAME /);
  assert.equal(await client.say('GET k'), 'orders');
  const other = await resp.connect();
  await other.say('AUTH ns:orders any');
  assert.equal(await other.say('GET k'), 'orders');
  await other.say('AUTH default any');
  assert.equal(await other.say('GET k'), 'default');
});

test('KV.GET, KV.SET and KV.VERSION say what Redis has no words for', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const version = await client.say('KV.SET k v W all TTL 100 TIMEOUT 500');
  assert.match(String(version), /^[0-9a-f]{12}-[0-9a-f]{4}-\d+$/);
  assert.equal(await client.say('KV.VERSION k'), version);
  assert.equal(await client.say('TTL k'), 100);
  assert.equal(await client.say('KV.GET k R 1'), 'v');
  assert.deepEqual(
    resp.store.asked.filter((each) => each !== undefined),
    [{ w: 'all', timeoutMs: 500 }, { r: 1 }],
  );
  assert.equal(await client.say('KV.VERSION nope'), null);
  assert.equal(show(await client.say('KV.GET k W 1')), '<ERR syntax error>');
  assert.equal(show(await client.say('KV.GET k R 2')), '<ERR BAD_PARAMETER R is one of 1, quorum and all>');
});

test('errors of the store have the prefixes that clients act upon', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const told = async (error: Error, line = 'SET k v'): Promise<string> => {
    resp.store.failure = error;
    return show(await client.say(line));
  };
  assert.equal(
    await told(new ClusterError('CLUSTER_FORMING', 'not placed yet')),
    '<CLUSTERDOWN CLUSTER_FORMING not placed yet>',
  );
  assert.equal(await told(new KvError('STORAGE_FULL', 'no room')), '<OOM STORAGE_FULL no room>');
  assert.equal(await told(new KvError('OVERLOADED', 'busy')), '<TRYAGAIN OVERLOADED busy>');
  const missed = (outcome: string) => new KvError('QUORUM_NOT_MET', 'too few', { outcome });
  assert.equal(await told(missed('unwritten')), '<CLUSTERDOWN QUORUM_NOT_MET too few>');
  // A client repeats CLUSTERDOWN by itself: what may have been written must not be told with it.
  assert.equal(await told(missed('unknown')), '<ERR QUORUM_NOT_MET too few>');
  assert.equal(
    await told(new Error('secret')),
    '<ERR INTERNAL the node failed to answer this command; its log says why>',
  );
});
