import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvError } from '../../storage/errors.ts';
import type { BatchOperation } from '../../storage/kv-store.ts';
import { show, startTestResp, type TestResp } from './test-resp.ts';

/** Commands on several operations of which some fail: a prefix that says that nothing was done must be true. */

type Failing = (operation: BatchOperation) => Error | undefined;

/** Operations of a batch fail as `failing` says; the others are done. */
function fail({ store }: TestResp, failing: Failing): void {
  const batch = store.batch.bind(store);
  store.batch = async (namespace, operations) => {
    const outcomes = [];
    for (const operation of operations) {
      const error = failing(operation);
      if (error === undefined) outcomes.push(...(await batch(namespace, [operation])));
      else outcomes.push({ type: 'error' as const, error });
    }
    return outcomes;
  };
}

const missed = (outcome: 'unwritten' | 'unknown'): KvError =>
  new KvError('QUORUM_NOT_MET', 'too few', { outcome });
const isOf =
  (type: BatchOperation['type'], name: string): ((operation: BatchOperation) => boolean) =>
  (operation) =>
    operation.type === type && Buffer.from(operation.key).toString() === name;
const failOn = (matches: (operation: BatchOperation) => boolean, error: Error): Failing => {
  return (operation) => (matches(operation) ? error : undefined);
};

test('DEL whose read fails deletes nothing: CLUSTERDOWN is told of it', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  await client.say('SET a 1');
  fail(resp, failOn(isOf('get', 'a'), missed('unwritten')));
  assert.equal(show(await client.say('DEL a')), '<CLUSTERDOWN QUORUM_NOT_MET too few>');
  assert.equal(show(await client.say('GET a')), '"1"');
});

test('DEL whose delete may have been done says no more than that it failed', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  fail(resp, failOn(isOf('delete', 'a'), missed('unknown')));
  assert.equal(show(await client.say('DEL a')), '<ERR QUORUM_NOT_MET too few>');
});

test('of several keys: one that was written, or may have been, takes the prefix away from the others', async () => {
  const partly = '<ERR QUORUM_NOT_MET some of the keys were written, and not all: too few>';
  const perhaps = '<ERR QUORUM_NOT_MET some of the keys may have been written: too few>';
  for (const [outcome, told] of [
    [missed('unwritten'), partly],
    [missed('unknown'), partly],
  ] as const) {
    await using resp = await startTestResp();
    const client = await resp.connect();
    fail(resp, failOn(isOf('put', 'b'), outcome));
    assert.equal(show(await client.say('MSET a 1 b 2')), told);
  }
  await using resp = await startTestResp();
  const client = await resp.connect();
  fail(resp, ({ type, key }) =>
    type === 'put' ? missed(Buffer.from(key).toString() === 'b' ? 'unknown' : 'unwritten') : undefined,
  );
  assert.equal(show(await client.say('MSET a 1 b 2')), perhaps);
  assert.equal(show(await client.say('MSET a 1 c 2')), '<CLUSTERDOWN QUORUM_NOT_MET too few>');
});

test('of very many keys, done some at a time: what the first of them wrote is not forgotten when the last ones fail', async () => {
  await using resp = await startTestResp();
  const client = await resp.connect();
  const words = Array.from({ length: 100 }, (_, i) => `k${i} ${i}`).join(' ');
  fail(resp, failOn(isOf('put', 'k99'), missed('unwritten')));
  assert.match(show(await client.say(`MSET ${words}`)), /^<ERR QUORUM_NOT_MET some of the keys were written/);
  const batch = resp.store.batch.bind(resp.store);
  let batches = 0;
  resp.store.batch = async (...args) => {
    batches += 1;
    if (batches > 1) throw new KvError('OVERLOADED', 'busy');
    return await batch(...args);
  };
  assert.match(show(await client.say(`MSET ${words}`)), /^<ERR OVERLOADED some of the keys were written/);
});
