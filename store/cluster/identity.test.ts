import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../io/settle.ts';
import type { Machine } from '../sim/world/machine.ts';
import { CLUSTER, nodeOf, statusOf, TestCluster } from './test-cluster.ts';

const phaseOf = (machine: Machine): string => machine.node?.cluster.status().node.state ?? 'down';
const numberOf = (machine: Machine): number | undefined => statusOf(machine).node.member;
const signal = new AbortController().signal;

/** The disk as it is now, and everything that was synced. */
function stopped(machine: Machine): ReturnType<Machine['disk']['copy']> {
  machine.crash();
  return machine.disk.copy();
}

async function members(cluster: TestCluster, machine: Machine): Promise<(readonly [string, number])[]> {
  const state = await cluster.answer(nodeOf(machine).cluster.readTopology('linearizable', signal));
  return [...state.members.values()].map(({ name, number }) => [name, number] as const);
}

test('one cluster: a crash after any write of a join and a start leaves a node that becomes a member, once', async () => {
  for (let at = 1; ; at++) {
    const cluster = new TestCluster(settle);
    const [first] = await cluster.start(1);
    const joiner = cluster.machine('node-2');
    let writes = 0;
    cluster.onWritten = (machine) => {
      if (machine !== joiner) return;
      writes++;
      if (writes === at) cluster.timeline.after(0, () => joiner.crash());
    };
    joiner.start();
    const isVoter = (): boolean => joiner.node?.cluster.status().node.isVoter === true;
    await cluster.until(() => writes >= at || isVoter(), 'the crash');
    const isOver = writes < at;
    await cluster.run(200);
    if (joiner.life === undefined) joiner.start();
    await cluster.until(
      () => statusOf(first as Machine).quorum.voters.length === 2,
      `two voters after ${at}`,
    );
    assert.deepEqual(await members(cluster, first as Machine), [
      ['node-1', 1],
      ['node-2', 2],
    ]);
    assert.deepEqual(cluster.broken, []);
    if (isOver) return assert.ok(at > 4, `${at - 1} writes`);
  }
});

test('one cluster: a crash after any write of a bootstrap leaves a cluster, or an empty directory that makes it when it is told again', async () => {
  for (let at = 1; at < 12; at++) {
    const cluster = new TestCluster(settle);
    const machine = cluster.machine('node-1');
    let writes = 0;
    cluster.onWritten = () => {
      writes++;
      if (writes === at) cluster.timeline.after(0, () => machine.crash());
    };
    machine.start();
    await cluster.run(20);
    machine.node?.cluster.bootstrap({ clusterId: CLUSTER, replicationFactor: 1 }).catch(() => {});
    await cluster.run(1000);
    if (machine.life === undefined) machine.start();
    await cluster.until(() => machine.node !== undefined, 'it runs again');
    await cluster.bootstrap(machine);
    await cluster.until(() => statusOf(machine).leader?.member === 1, `it leads after ${at}`);
    assert.deepEqual([statusOf(machine).clusterId, numberOf(machine)], [CLUSTER, 1]);
    assert.deepEqual(cluster.broken, []);
  }
});

test('one cluster: a crash after any write while an old copy of a directory is given up leaves one that joins as another', async () => {
  for (let at = 1; ; at++) {
    const cluster = new TestCluster(settle);
    const [first, second] = (await cluster.start(2)) as [Machine, Machine];
    const third = cluster.machine('node-3');
    third.start();
    await cluster.until(() => statusOf(first).quorum.voters.length === 3, 'three voters');
    const old = stopped(second);
    second.start();
    await cluster.until(
      () => statusOf(first).members.alive === 3 && phaseOf(second) === 'member',
      'it is back',
    );
    await cluster.run(3000);
    second.replaceDisk(old);
    let writes = 0;
    cluster.onWritten = (machine) => {
      if (machine !== second) return;
      writes++;
      if (writes === at) cluster.timeline.after(0, () => second.crash());
    };
    second.start();
    const isBack = (): boolean => phaseOf(second) === 'member' && numberOf(second) === 4;
    await cluster.until(() => writes >= at || isBack(), 'the crash');
    const isOver = writes < at;
    await cluster.run(100);
    if (second.life === undefined) second.start();
    await cluster.until(isBack, `another member after ${at}`);
    await cluster.until(() => statusOf(first).quorum.voters.length === 3, 'three voters again');
    const names = (await members(cluster, first)).map(([name]) => name);
    assert.deepEqual(names.sort(), ['node-1', 'node-2', 'node-3']);
    assert.deepEqual(cluster.broken, []);
    if (isOver || at === 6) return assert.ok(at > 2);
  }
});
