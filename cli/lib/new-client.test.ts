import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { memberUrl, tokenSource } from './new-client.ts';

const directory = mkdtempSync(join(tmpdir(), 'kvorum-token-'));
after(() => rmSync(directory, { recursive: true }));
const options = { url: 'http://127.0.0.1:1', timeout: 1000 };

test('tokenSource: a file is read again while a command runs, and one that is gone leaves the token before', async () => {
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'the first one\n');
  assert.throws(() => tokenSource({ ...options, tokenFile }), /does not hold a token: one line/);
  writeFileSync(tokenFile, ' first-token \n');
  const token = tokenSource({ ...options, tokenFile });
  assert.equal(token(), 'first-token');
  writeFileSync(tokenFile, 'second-token');
  while (token() === 'first-token') await new Promise(setImmediate);
  assert.equal(token(), 'second-token');
  rmSync(tokenFile);
  assert.equal(token(), 'second-token');
  assert.throws(() => tokenSource({ ...options, tokenFile }), /--token-file cannot be read: ENOENT/);
});

test('memberUrl: as the member says, else as the node was asked', () => {
  assert.equal(memberUrl({ url: 'http://a:1' }, 'b:2'), 'http://b:2');
  assert.equal(memberUrl({ url: 'https://a:1,https://c:1' }, 'b:2'), 'https://b:2');
  assert.equal(memberUrl({ url: 'http://a:1' }, 'https://b:2'), 'https://b:2');
});
