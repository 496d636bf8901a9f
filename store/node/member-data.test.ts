import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ClusterNode } from '../cluster/cluster-node.ts';
import { SimClock } from '../sim/sim-clock.ts';
import type { KvStore } from '../storage/kv-store.ts';
import type { DataService } from './data-service.ts';
import { MemberData } from './member-data.ts';

/** A member of two, both of which are replicas. */
function nodeOfTwo(): ClusterNode {
  const state = {
    members: new Map([
      [1, {}],
      [2, {}],
    ]),
    partitions: [{ replicas: [1, 2], epoch: 1 }],
  };
  const member = { number: 1, topology: { state } };
  return { member, phase: { type: 'member', member } } as unknown as ClusterNode;
}

function serviceOf(value: string): DataService {
  const store = { get: async () => ({ value: Buffer.from(value) }) } as unknown as KvStore;
  return { store, stop: async () => {}, settled: async () => {} } as unknown as DataService;
}

test('a service of the data that could not be opened is opened again later, and ever more seldom', async () => {
  const clock = new SimClock();
  const opened: number[] = [];
  const errors: unknown[] = [];
  const data = new MemberData({
    clock,
    node: nodeOfTwo(),
    async open(kind) {
      assert.equal(kind, 'replicated');
      opened.push(clock.monotonicMs());
      if (opened.length < 4) throw new Error('a read failed');
      return serviceOf('here');
    },
    unplaced: () => assert.fail('the partitions are placed'),
    onError: (error) => errors.push(error),
  });
  await assert.rejects(data.start(), /a read failed/);
  await assert.rejects(data.store.get('default', Buffer.from('k')), /a read failed/);
  for (let i = 0; i < 10; i++) {
    clock.advance(1000);
    await turn();
  }
  assert.deepEqual(opened, [0, 1000, 3000, 7000]);
  assert.equal(errors.length, 3);
  assert.equal((await data.store.get('default', Buffer.from('k')))?.value.toString(), 'here');
  await data.stop();
});
