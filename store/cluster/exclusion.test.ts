import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toIndex } from '../core/raft/types.ts';
import { settle } from '../io/settle.ts';
import type { Machine } from '../sim/world/machine.ts';
import { KEYS } from '../storage/raft-store/testing.ts';
import { CLUSTER, nodeOf, statusOf, TestCluster } from './test-cluster.ts';

const signal = new AbortController().signal;
const STALE = { code: 'STALE_MEMBER', message: 'the peer says so' } as const;
const REMOVED = { code: 'REMOVED_MEMBER', message: 'the peer says so' } as const;

test('one cluster: a peer that calls a healthy member stale or removed is not believed, be it follower or leader', async () => {
  const cluster = new TestCluster(settle);
  const machines = await cluster.start(3);
  for (const machine of machines)
    for (const refusal of [STALE, REMOVED]) {
      const before = statusOf(machine).node.member;
      nodeOf(machine).internals.onRefused('x.1:7401', 'them', refusal, undefined);
      await cluster.run(5000);
      assert.deepEqual([statusOf(machine).node.state, statusOf(machine).node.member], ['member', before]);
    }
});

test('one cluster: two clusters that were made with one id leave each other alone', async () => {
  const cluster = new TestCluster(settle);
  const machines = [cluster.machine('node-1'), cluster.machine('node-2')];
  cluster.network.cut('node-1', 'node-2');
  cluster.network.cut('node-2', 'node-1');
  for (const machine of machines) {
    machine.start();
    await cluster.until(() => machine.node !== undefined, 'it runs');
    await cluster.bootstrap(machine);
  }
  cluster.network.calm();
  const [first, second] = machines.map(({ life }) => life?.transport);
  assert.ok(first !== undefined && second !== undefined);
  const options = { timeoutMs: 1000, signal };
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const)
    await assert.rejects(cluster.answer(from.request(to.address, { type: 'who' }, options)), {
      code: 'REFUSED',
      message: /WRONG_CLUSTER.*two clusters were made with the id/,
    });
  await cluster.run(5000);
  for (const machine of machines) {
    const { node, clusterId } = statusOf(machine);
    assert.deepEqual([node.state, node.member, clusterId], ['member', 1, CLUSTER]);
  }
});

test('S5: a damaged log is kept until a leader of the others is found', async () => {
  const cluster = new TestCluster(settle);
  const [machine] = (await cluster.start(1)) as [Machine];
  const { directoryId } = machine.log;
  machine.crash();
  assert.ok(machine.disk.corrupt(KEYS.entry(toIndex(2))));
  machine.start();
  await cluster.run(10_000);
  const { node, clusterId } = statusOf(machine);
  assert.deepEqual([node.state, clusterId], ['joining', CLUSTER]);
  assert.match(node.reason ?? '', /none of the seeds answers|damaged/);
  assert.deepEqual([machine.log.directoryId, machine.log.identity?.member], [directoryId, 1]);
});

test('S5: a member with a damaged log becomes another one where the others go on', async () => {
  const cluster = new TestCluster(settle);
  const machines = await cluster.start(3);
  const damaged = machines[2] as Machine;
  damaged.crash();
  assert.ok(damaged.disk.corrupt(KEYS.hardState));
  damaged.start();
  await cluster.until(() => damaged.node?.cluster.status().node.isVoter === true, 'it votes again');
  assert.equal(statusOf(damaged).node.member, 4);
});

test('one cluster: a copy of a directory from before it became a member is not given the number again', async () => {
  const cluster = new TestCluster(settle);
  const [first] = (await cluster.start(2)) as [Machine];
  const joiner = cluster.machine('node-3');
  let early: ReturnType<Machine['disk']['copy']> | undefined;
  cluster.onWritten = ({ log, disk }) => {
    if (log.joining !== undefined) early = disk.copy();
  };
  joiner.start();
  await cluster.until(() => statusOf(first).quorum.voters.length === 3, 'three voters');
  assert.ok(early !== undefined);
  joiner.replaceDisk(early);
  joiner.start();
  await cluster.until(() => joiner.node?.cluster.status().node.member === 4, 'it has another number');
  await cluster.until(() => statusOf(first).quorum.voters.length === 3, 'three voters again');
  assert.equal(cluster.notes.filter((note) => note.startsWith('node-3 is member 3')).length, 1);
  assert.deepEqual(cluster.broken, []);
});

test('a removed voter learns of it, whoever it had links to', async () => {
  const cluster = new TestCluster(settle);
  const machines = await cluster.start(3);
  const [first, , third] = machines as [Machine, Machine, Machine];
  await cluster.answer(nodeOf(first).cluster.removeMember('node-3', signal));
  await cluster.until(() => statusOf(third).node.state === 'excluded', 'it is excluded', 20_000);
  await cluster.until(() => statusOf(first).quorum.voters.length === 2, 'two voters');
});

test('a change by the name of a member is made to who has the name now, also where it is asked of one that lags', async () => {
  const cluster = new TestCluster(settle);
  const machines = await cluster.start(3);
  const [first, , third] = machines as [Machine, Machine, Machine];
  const lagging = cluster.machine('node-4');
  lagging.start();
  await cluster.until(() => lagging.node?.cluster.status().members.alive === 4, 'it is a member');
  const ways = machines.flatMap(({ name }) => [[name, 'node-4'] as const, ['node-4', name] as const]);
  for (const [from, to] of ways) cluster.network.cut(from, to);
  third.replaceDisk(undefined);
  third.start();
  await cluster.until(() => third.node?.cluster.status().node.isVoter === true, 'it was replaced');
  for (const [from, to] of ways) cluster.network.mend(from, to);
  assert.equal(statusOf(first).node.state, 'member');
  const { subject } = await cluster.answer(nodeOf(lagging).cluster.removeMember('node-3', signal));
  assert.equal(subject, 5);
});

test('a read ends, with an error, where the leader is cut off for good', async () => {
  const cluster = new TestCluster(settle);
  const machines = await cluster.start(3);
  const leader = machines.find((each) => statusOf(each).node.role === 'leader') as Machine;
  for (const { name } of machines)
    if (name !== leader.name) {
      cluster.network.cut(leader.name, name);
      cluster.network.cut(name, leader.name);
    }
  const read = nodeOf(leader).cluster.readTopology('linearizable', signal);
  await assert.rejects(cluster.answer(read, 20_000), { code: 'NO_LEADER' });
});

test('R25: a change on a node whose disk hangs ends in time, and its outcome is unknown', async () => {
  const cluster = new TestCluster(settle);
  const [machine] = (await cluster.start(1)) as [Machine];
  machine.disk.faults.syncDelayMs = 1_000_000;
  const change = nodeOf(machine).cluster.createNamespace('n', signal);
  await assert.rejects(cluster.answer(change, 20_000), { code: 'OUTCOME_UNKNOWN' });
});
