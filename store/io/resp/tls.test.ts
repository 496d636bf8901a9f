import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { openCertificate } from '../http/certificate.ts';
import { LOCAL_NAMES, makeAuthority, makeCertificate } from '../tcp/test-certificates.ts';
import { encodeCommand, startTestResp } from './test-resp.ts';

const opts = { timeout: 30_000 };
const directory = mkdtempSync(join(tmpdir(), 'kvorum-resp-tls-'));
after(() => rmSync(directory, { recursive: true }));
const authority = makeAuthority(directory, 'ours');
const ca = readFileSync(`${authority}.pem`);

test('commands are served over TLS, a large value too, and plain bytes are not', opts, async () => {
  const files = makeCertificate(authority, directory, 'first', LOCAL_NAMES);
  const certificate = await openCertificate(files, assert.fail);
  await using resp = await startTestResp({}, { certificate });
  const socket = connect({ port: resp.port, host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  const value = Buffer.alloc(1 << 20, 'v');
  socket.write(Buffer.concat([['SET', 'k', value], ['GET', 'k'], ['QUIT']].map(encodeCommand)));
  assert.equal(await text(socket), `+OK\r\n$${value.length}\r\n${value}\r\n+OK\r\n`);
  const plain = await resp.connect();
  plain.socket.write('PING\r\n');
  const answer = await plain.closed();
  assert.ok(!answer.includes('PONG'));
});
