import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { show, startTestResp, TestClient } from '../store/io/resp/test-resp.ts';
import { missingProgram } from './lib/redis-tools.ts';
import { freePort } from './lib/server-process.ts';

const skip = missingProgram('redis-server', 'redis-server') ?? false;

/** A Redis that keeps nothing; disposing it ends it. */
async function startRedis(): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], {
    stdio: 'ignore',
  });
  for (let i = 0; i < 200; i++) {
    const client = await TestClient.open(port).catch(() => undefined);
    client?.socket.destroy();
    if (client !== undefined) break;
    await sleep(25);
  }
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { port, [Symbol.asyncDispose]: end };
}

/** Commands whose answers must be those of Redis, byte for byte; some depend on those before them. */
const SCRIPT = `
PING|PING x|PING x y|ECHO a|ECHO|ECHO a b|GET|GET k|SET k v|GET k|SET k|SET k v FOO|SET k v EX|SET k v EX x|SET k v EX 0|SET k v EX -5
SET k v PX 0|SET k v EX 10 PX 10|SET k v EX 99999999999999999999|SET k v EX 100|TTL k|SET k v|TTL k|PTTL k|TTL none|PTTL none|TTL
EXPIRETIME k|PEXPIRETIME k|EXPIRETIME none|SET k v EXAT 4102444800|EXPIRETIME k|SET k v PXAT 4102444800123|PEXPIRETIME k|SET k v EXAT 0
SETEX k 100 v|SETEX k 0 v|SETEX k x v|SETEX k 10|PSETEX k 100000 v|TTL k|PSETEX k -1 v
MSET a 1 b 2|MSET a|MSET a 1 b|MGET a b none a|MGET|EXISTS a a b none|EXISTS|TYPE a|TYPE none|TYPE|STRLEN a|STRLEN none
SET s HelloWorld|GETRANGE s 0 4|GETRANGE s -5 -1|GETRANGE s 5 100|GETRANGE s 4 2|GETRANGE s -100 1|GETRANGE s a 1|GETRANGE none 0 -1|GETRANGE s -1 -5|SUBSTR s 1 2
DEL a a b none|DEL|UNLINK s|UNLINK none|DBSIZE|SELECT 0|SELECT x|TOUCH k none
CLIENT GETNAME|CLIENT SETNAME x|CLIENT GETNAME|CLIENT REPLY|CLIENT REPLY maybe|CLIENT nonsense|CLIENT|CLIENT NO-EVICT on|CLIENT NO-EVICT x
HELLO x|HELLO 4|HELLO 3 NONSENSE|AUTH x|AUTH default x|AUTH a b c|nonsense a b|COMMAND GETKEYS MSET a 1 b 2|COMMAND GETKEYS GET|COMMAND GETKEYS nonsense x
SCAN x|SCAN 0 COUNT 0|SCAN 0 COUNT x|SCAN 0 NONSENSE x|SCAN 0 MATCH|SCAN|KEYS|KEYS nothing|READONLY x|TIME x|RESET|CLIENT GETNAME
CONFIG GET maxmemory|CONFIG GET|CONFIG nonsense|COMMAND nonsense|INFO nonsense
`;

test('replies are those of redis-server', { skip }, async () => {
  await using redis = await startRedis();
  await using resp = await startTestResp();
  const lines = SCRIPT.split(/[\n|]/).filter((line) => line !== '');
  for (const protocol of ['2', '3']) {
    const theirs = await TestClient.open(redis.port);
    const ours = await TestClient.open(resp.port);
    for (const client of [theirs, ours]) await client.run('HELLO', protocol);
    const differing: string[] = [];
    for (const line of lines) {
      const [expected, actual] = [show(await theirs.say(line)), show(await ours.say(line))];
      if (expected !== actual) differing.push(`${line}\n  redis  ${expected}\n  kvorum ${actual}`);
    }
    theirs.socket.destroy();
    ours.socket.destroy();
    assert.deepEqual(differing, []);
  }
});
