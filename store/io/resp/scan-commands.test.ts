import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScanCursors } from './scan-cursors.ts';
import { show, startTestResp, type TestClient, type TestResp } from './test-resp.ts';

async function fill(resp: TestResp, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await resp.store.put('default', Buffer.from(`${i % 2 === 0 ? 'even' : 'odd'}:${i}`), {
      value: Buffer.from('v'),
    });
}

/** All pages of a scan. */
async function scanAll(client: TestClient, options: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, keys] = (await client.say(`SCAN ${cursor}${options}`)) as [string, string[]];
    found.push(...keys);
    cursor = next;
  } while (cursor !== '0');
  return found;
}

test('SCAN gives every key once, also by pattern, whatever the size of a page is', async () => {
  await using resp = await startTestResp();
  await fill(resp, 100);
  const client = await resp.connect();
  for (const count of ['', ' COUNT 1', ' COUNT 7', ' COUNT 1000']) {
    const all = await scanAll(client, count);
    assert.equal(new Set(all).size, 100, count);
    assert.equal(all.length, 100, count);
  }
  const odd = await scanAll(client, ' MATCH odd:* COUNT 9');
  assert.ok(odd.length === 50 && odd.every((key) => key.startsWith('odd:')));
  assert.deepEqual(
    await scanAll(client, ' MATCH *:9? TYPE string'),
    (await scanAll(client, '')).filter((key) => /:9.$/.test(key)),
  );
  assert.deepEqual(await scanAll(client, ' TYPE list'), []);
});

test('SCAN refuses what Redis refuses, and cursors that are not its own', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const script: [string, string][] = [
    ['SCAN abc', '<ERR invalid cursor>'],
    ['SCAN 0 COUNT 0', '<ERR syntax error>'],
    ['SCAN 0 COUNT x', '<ERR value is not an integer or out of range>'],
    ['SCAN 0 TYPE', '<ERR syntax error>'],
    ['SCAN 0 FOO x', '<ERR syntax error>'],
  ];
  for (const [line, expected] of script) assert.equal(show(await client.say(line)), expected, line);
  assert.match(show(await client.say('SCAN 17')), /^<ERR invalid cursor: this node does not know it/);
});

test('a page can be asked for again, and not in another namespace', async () => {
  await using resp = await startTestResp();
  await resp.store.createNamespace('other');
  await fill(resp, 30);
  const client = await resp.connect();
  const [cursor] = (await client.say('SCAN 0')) as [string, string[]];
  const keysOf = async () => ((await client.say(`SCAN ${cursor}`)) as [string, string[]])[1];
  assert.deepEqual(await keysOf(), await keysOf());
  await client.say('KV.NAMESPACE other');
  assert.match(show(await client.say(`SCAN ${cursor}`)), /^<ERR invalid cursor: /);
});

test('KEYS and DBSIZE look at all keys, RANDOMKEY finds one', async () => {
  await using resp = await startTestResp({ keysMax: 60 });
  const client = await resp.connect();
  assert.equal(await client.say('RANDOMKEY'), null);
  assert.equal(await client.say('DBSIZE'), 0);
  await fill(resp, 100);
  assert.equal(await client.say('DBSIZE'), 100);
  assert.equal(((await client.say('KEYS even:*')) as string[]).length, 50);
  assert.deepEqual(await client.say('KEYS odd:7'), ['odd:7']);
  assert.match(show(await client.say('KEYS *')), /^<ERR REPLY_TOO_LARGE more than 60 keys match/);
  const drawn = new Set<unknown>();
  for (let i = 0; i < 60; i++) drawn.add(await client.say('RANDOMKEY'));
  assert.ok(drawn.size > 10 && [...drawn].every((key) => /^(even|odd):\d+$/.test(String(key))));
});

test('DBSIZE sees what the commands before it wrote', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  client.send(['SET', 'a', '1'], ['SET', 'b', '1'], ['DBSIZE'], ['DEL', 'a'], ['DBSIZE']);
  assert.deepEqual(await client.replies(5), ['OK', 'OK', 2, 1, 1]);
});

test('ScanCursors keeps the last used ones, and knows none of another life', () => {
  const cursors = new ScanCursors({ cursorsMax: 2, life: 5 });
  const at = (name: string) => ({ namespace: 'default', after: Buffer.from(name) });
  const first = cursors.issue(at('a'));
  const second = cursors.issue(at('b'));
  cursors.find(first);
  const third = cursors.issue(at('c'));
  assert.equal(cursors.find(second), undefined);
  assert.equal(Buffer.from(cursors.find(first)?.after ?? []).toString(), 'a');
  assert.ok(Number.isSafeInteger(third));
  assert.equal(new ScanCursors({ cursorsMax: 2, life: 6 }).find(third), undefined);
});
