import assert from 'node:assert/strict';
import test from 'node:test';
import { dnsResolver } from './dns-resolver.ts';

test('literal addresses pass through', async () => {
  assert.deepEqual(await dnsResolver.resolve('10.0.0.1:7401'), ['10.0.0.1:7401']);
  assert.deepEqual(await dnsResolver.resolve('[2001:db8::1]:7401'), ['[2001:db8::1]:7401']);
});

test('a name becomes every address that it has, each with the port', async () => {
  const addresses = await dnsResolver.resolve('localhost:7401');
  assert.ok(addresses.includes('127.0.0.1:7401') || addresses.includes('[::1]:7401'));
  assert.equal(new Set(addresses).size, addresses.length);
});

test('a name that nobody has is an error that names it', async () => {
  await assert.rejects(
    dnsResolver.resolve('no-such-node.invalid:7401'),
    /no-such-node\.invalid:7401 cannot be/,
  );
});

for (const seed of ['node-1', 'node-1:', 'node-1:0', 'node-1:65536', '::1:7401', 'a b:7401', '']) {
  test(`"${seed}" is no seed`, async () => {
    await assert.rejects(dnsResolver.resolve(seed), /is no seed: name it as host:port/);
  });
}
