import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, memberAddress } from './node-address.ts';

const originAs = (httpAddress: string, asked: string): string | undefined =>
  memberAddress(httpAddress, addressOf(asked))?.origin;

test('memberAddress: a scheme counts, without one that of the node that was asked does, and TLS leads nowhere without TLS', () => {
  assert.equal(originAs('10.0.0.2:7400', 'http://10.0.0.1:7400'), 'http://10.0.0.2:7400');
  assert.equal(originAs('10.0.0.2:7400', 'https://10.0.0.1:7400'), 'https://10.0.0.2:7400');
  assert.equal(originAs('https://10.0.0.2:7400', 'http://10.0.0.1:7400'), 'https://10.0.0.2:7400');
  assert.equal(originAs('http://10.0.0.2:7400', 'https://10.0.0.1:7400'), undefined);
  assert.equal(originAs('https://[::1]:7400', 'https://localhost:7400'), 'https://[::1]:7400');
  assert.equal(originAs('https://0.0.0.0:7400', 'https://10.0.0.1:7400'), undefined);
  assert.equal(originAs('https://127.0.0.1:7400', 'https://10.0.0.1:7400'), undefined);
});
