import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { at, live, type TestPartition } from './test-replica.ts';
import { TestSet } from './test-set.ts';

const OLD = 500_000;
const partitionOf = (set: TestSet, member: number): TestPartition =>
  set.replica(member).partitions[0] as TestPartition;

test('an answer for another epoch, or for a partition that is not here, is a refusal with a code', async () => {
  const set = new TestSet(settle);
  const round = { initiator: 2, incarnation: 1, number: 1, floor: at(OLD) };
  const ask = (epoch: number, stage: 'floor' | 'settled') => {
    const request = { type: 'round', to: 1, partition: 0, epoch: epoch as never, stage, round } as const;
    return set.antiEntropy(1).answer(request, 2);
  };
  set.setEpoch(5);
  const codes = [await ask(4, 'floor'), await ask(6, 'floor')].map((reply) => 'code' in reply && reply.code);
  assert.deepEqual(codes, ['STALE_EPOCH', 'EPOCH_UNKNOWN']);
  const early = await ask(5, 'settled');
  assert.deepEqual(early.type === 'round' && early.outcome.type, 'refused', 'it never confirmed this floor');
  assert.equal(partitionOf(set, 1).watermark.wallMs, 0);
  set.replica(1).takeOut('for the test');
  const out = await ask(5, 'floor');
  assert.equal('code' in out && out.code, 'EPOCH_UNKNOWN');
  await set.stop();
});

test('a request for another member number is refused: an address may have a new owner', async () => {
  const set = new TestSet(settle);
  const reply = await set.antiEntropy(1).answer({ type: 'roots', to: 7, partitions: [] }, 2);
  assert.equal('code' in reply && reply.code, 'WRONG_MEMBER');
  await set.stop();
});

test('stop does not wait for members that do not answer', async () => {
  const set = new TestSet(settle);
  set.put(live('key', at(OLD)), [1]);
  set.isStuck = (what) => what === 'walk' || what === 'leaves' || what === 'store';
  set.start();
  await set.pass(3000);
  assert.ok((set.requests.get('walk') ?? 0) > 0);
  let isStopped = false;
  const stopped = set
    .antiEntropy(3)
    .stop()
    .then(() => {
      isStopped = true;
    });
  await set.pass(10);
  assert.ok(isStopped);
  await stopped;
  await set.stop();
});
