import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpAddressOf } from './cluster-options.ts';

const addressOf = (host: string, advertise = '', tlsCert = ''): string =>
  httpAddressOf({
    'http.host': host,
    'http.port': 7400,
    'http.advertise': advertise,
    'http.tlsCert': tlsCert,
  });

test('httpAddressOf: https where only TLS is spoken, as http.advertise says where it names a scheme', () => {
  assert.equal(addressOf('10.0.0.1'), '10.0.0.1:7400');
  assert.equal(addressOf('::1'), '[::1]:7400');
  assert.equal(addressOf('10.0.0.1', '', 'a.pem'), 'https://10.0.0.1:7400');
  assert.equal(addressOf('0.0.0.0', 'kv-1:443', 'a.pem'), 'https://kv-1:443');
  assert.equal(addressOf('0.0.0.0', 'https://proxy:443'), 'https://proxy:443');
  assert.equal(addressOf('0.0.0.0', 'http://proxy:80', 'a.pem'), 'http://proxy:80');
});
