import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsRemoteStop } from './remote-stop.ts';

const allows = (host: string, remoteStop: 'auto' | 'on' | 'off', tokensFile = ''): boolean =>
  allowsRemoteStop({ 'http.host': host, 'http.remoteStop': remoteStop, 'http.tokensFile': tokensFile });

test('allowsRemoteStop: by itself only where nobody beyond this machine reaches the port, or tokens are needed', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    assert.deepEqual([allows(host, 'auto'), allows(host, 'off')], [true, false], host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'kvorum-1', ''])
    assert.deepEqual([allows(host, 'auto'), allows(host, 'on')], [false, true], host);
  assert.deepEqual(
    [allows('0.0.0.0', 'auto', 'tokens.yaml'), allows('0.0.0.0', 'off', 'tokens.yaml')],
    [true, false],
  );
});
