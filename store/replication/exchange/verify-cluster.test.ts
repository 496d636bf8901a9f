import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { at, live } from './test-replica.ts';
import { TestSet } from './test-set.ts';
import { DEFAULT_VERIFY_OPTIONS, verifyCluster } from './verify-cluster.ts';

const OLD = 500_000;

test('verifyCluster: each member proves its share; what cannot be proven is named', async () => {
  const set = new TestSet(settle, { partitions: 16 });
  set.put(live('key', at(OLD)), [2], 5);
  const verify = () => {
    const progress: number[] = [];
    const deps = {
      routing: set.routing(1),
      peers: set.peersOf(1),
      verify: (partitions: readonly number[]) => set.antiEntropy(1).verify(partitions),
    };
    const report = verifyCluster(DEFAULT_VERIFY_OPTIONS, deps, ({ done }) => progress.push(done));
    return set.until(report).then((result) => ({ result, progress }));
  };
  const { result, progress } = await verify();
  assert.deepEqual([result.partitions, result.equal, result.keysRepaired, result.problems], [16, 16, 2, []]);
  assert.equal(progress.at(-1), 16);
  assert.deepEqual(set.held('key', 5), [OLD, OLD, OLD]);
  set.down.add(3);
  const { result: without } = await verify();
  assert.deepEqual([without.partitions, without.equal], [16, 0]);
  assert.match(without.problems[0] ?? '', /node-3 is down/);
  await set.stop();
});

test('a verification finds, and repairs, what was overwritten since the floor and is not on all replicas', async () => {
  const set = new TestSet(settle, { options: { propagationMs: 10_000 } });
  await set.pass(20_000);
  const nowMs = set.clock.nowMs();
  set.put(live('overwritten', at(nowMs - 3000)));
  set.put(live('overwritten', at(nowMs - 1000)), [2, 3]);
  const report = await set.until(set.antiEntropy(1).verify());
  assert.deepEqual(set.held('overwritten'), [nowMs - 1000, nowMs - 1000, nowMs - 1000]);
  assert.deepEqual([report.equal, report.keysRepaired, report.problems], [1, 1, []]);
  set.put(live('arriving', at(nowMs - 3000)));
  set.put(live('arriving', at(set.clock.nowMs())), [2]);
  assert.equal(
    (await set.until(set.antiEntropy(1).verify())).equal,
    1,
    'a write on its way is no difference',
  );
});
