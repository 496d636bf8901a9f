import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, type TokenTable } from '../http/token-file.ts';
import { show, startTestResp } from './test-resp.ts';

/** What each line answers, on one connection. */
async function assertScript(script: readonly (readonly [string, string])[], deps = {}): Promise<void> {
  await using resp = await startTestResp({}, deps);
  const client = await resp.connect();
  for (const [line, expected] of script) assert.equal(show(await client.say(line)), expected, line);
}

test('commands of a connection answer as those of Redis do', () =>
  assertScript([
    ['PING', '"PONG"'],
    ['ping hello', '"hello"'],
    ['PING a b', "<ERR wrong number of arguments for 'ping' command>"],
    ['ECHO x', '"x"'],
    ['ECHO', "<ERR wrong number of arguments for 'echo' command>"],
    ['SELECT 0', '"OK"'],
    ['SELECT a', '<ERR value is not an integer or out of range>'],
    ['CLIENT ID', '1'],
    ['CLIENT GETNAME', 'null'],
    ['CLIENT SETNAME me', '"OK"'],
    ['CLIENT GETNAME', '"me"'],
    ['CLIENT SETINFO LIB-NAME redis-py', '"OK"'],
    ['CLIENT SETINFO x y', "<ERR Unrecognized option 'x'>"],
    ['CLIENT NO-EVICT ON', '"OK"'],
    ['CLIENT NO-EVICT maybe', '<ERR syntax error>'],
    ['CLIENT foo', "<ERR unknown subcommand 'foo'. Try CLIENT HELP.>"],
    ['CLIENT reply', "<ERR wrong number of arguments for 'client|reply' command>"],
    ['READONLY', '"OK"'],
    ['READWRITE', '"OK"'],
    ['HELLO abc', '<ERR Protocol version is not an integer or out of range>'],
    ['HELLO 9', '<NOPROTO unsupported protocol version>'],
    ['HELLO 3 FOO', "<ERR Syntax error in HELLO option 'FOO'>"],
    ['foo bar baz', "<ERR unknown command 'foo', with args beginning with: 'bar' 'baz' >"],
    ['constructor', "<ERR unknown command 'constructor', with args beginning with: >"],
    ['CONFIG GET maxmemory save', '["maxmemory","0","save",""]'],
    ['CONFIG GET', "<ERR wrong number of arguments for 'config|get' command>"],
    ['COMMAND INFO nothing', '[null]'],
    ['COMMAND GETKEYS MSET a 1 b 2', '["a","b"]'],
    [
      'AUTH x',
      '<ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?>',
    ],
    ['AUTH default x', '"OK"'],
    ['RESET', '"RESET"'],
    ['CLIENT GETNAME', 'null'],
    ['QUIT', '"OK"'],
  ]));

test('HELLO 3 answers in the protocol that it chooses, and RESET goes back', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const greeting = (await client.say('HELLO 3 SETNAME me')) as { map: [string, unknown][] };
  assert.deepEqual(Object.fromEntries(greeting.map).proto, 3);
  assert.equal(await client.say('CLIENT GETNAME'), 'me');
  assert.ok('map' in ((await client.say('CONFIG GET port')) as object));
  assert.equal(await client.say('GET nothing'), null);
  await client.say('RESET');
  assert.ok(Array.isArray(await client.say('CONFIG GET port')));
});

test('CLIENT REPLY OFF and SKIP answer nothing, ON does again', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  client.send(['CLIENT', 'REPLY', 'OFF'], ['PING'], ['GET', 'a'], ['foo'], ['CLIENT', 'REPLY', 'ON']);
  client.send(['CLIENT', 'REPLY', 'SKIP'], ['ECHO', 'not seen'], ['ECHO', 'seen']);
  assert.deepEqual(await client.replies(2), ['OK', 'seen']);
});

test('INFO, COMMAND and CLIENT LIST have what clients look for', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const info = String(await client.say('INFO'));
  for (const field of [
    'redis_version:7.',
    'loading:0',
    'cluster_enabled:1',
    'role:master',
    'connected_clients:1',
  ])
    assert.ok(info.includes(`\r\n${field}`), field);
  assert.ok(String(await client.say('INFO server')).startsWith('# Server\r\n'));
  assert.ok(!String(await client.say('INFO server')).includes('# Clients'));
  const commands = (await client.say('COMMAND')) as unknown[][];
  assert.equal(commands.length, await client.say('COMMAND COUNT'));
  const get = commands.find(([name]) => name === 'get');
  assert.deepEqual(get?.slice(0, 6), ['get', 2, ['readonly', 'fast'], 1, 1, 1]);
  assert.equal(((await client.say('COMMAND DOCS get')) as unknown[])[0], 'get');
  assert.match(
    String(await client.say('CLIENT LIST')),
    /^id=1 addr=127\.0\.0\.1:\d+ .* cmd=client user=default .*\n$/,
  );
  const [seconds, microseconds] = (await client.say('TIME')) as [string, string];
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 60 && Number(microseconds) < 1e6);
});

test('with tokens: nothing before AUTH, then what the role allows, and nothing once the token is gone', async () => {
  const table = (...roles: readonly ('read' | 'write')[]): TokenTable =>
    new Map(roles.map((role) => [digestOf(`token-of-${role}`), { name: `the-${role}r`, role }]));
  const tokens = { value: table('read', 'write') };
  await using resp = await startTestResp({}, { tokens });
  const client = await resp.connect();
  const script: [string, string][] = [
    ['GET a', '<NOAUTH Authentication required.>'],
    ['PING', '<NOAUTH Authentication required.>'],
    ['AUTH wrong', '<WRONGPASS invalid username-password pair or user is disabled.>'],
    ['AUTH default wrong', '<WRONGPASS invalid username-password pair or user is disabled.>'],
    ['AUTH token-of-read', '"OK"'],
    ['GET a', 'null'],
    [
      'SET a b',
      "<NOPERM User the-readr has no permissions to run the 'set' command: it takes the role write, that of this token is read>",
    ],
    ['AUTH default token-of-write', '"OK"'],
    ['SET a b', '"OK"'],
    ['RESET', '"RESET"'],
    ['GET a', '<NOAUTH Authentication required.>'],
  ];
  for (const [line, expected] of script) assert.equal(show(await client.say(line)), expected, line);
  assert.match(
    show(await client.say('HELLO 3')),
    /^<NOAUTH HELLO must be called with the client already auth/,
  );
  assert.ok('map' in ((await client.say('HELLO 3 AUTH default token-of-write')) as object));
  tokens.value = table('read');
  assert.equal(show(await client.say('SET a c')), '<NOAUTH Authentication required.>');
});

test('who has shown no token can send no large request (CVE-2021-32675)', async () => {
  await using resp = await startTestResp({}, { tokens: { value: new Map() } });
  const many = await resp.connect();
  many.socket.write('*11\r\n');
  assert.equal(await many.closed(), '-ERR Protocol error: invalid multibulk length\r\n');
  const large = await resp.connect();
  large.socket.write('*2\r\n$4\r\nAUTH\r\n$16385\r\n');
  assert.equal(await large.closed(), '-ERR Protocol error: invalid bulk length\r\n');
});
