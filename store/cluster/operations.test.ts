import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TopologyState } from '../core/topology/types.ts';
import { settle } from '../io/settle.ts';
import type { Machine } from '../sim/world/machine.ts';
import type { OperationView, StopAnswer } from './cluster-admin.ts';
import { CLUSTER, nodeOf, statusOf, TestCluster, type TestMachineOptions } from './test-cluster.ts';

const signal = new AbortController().signal;
const FAST = { 'cluster.rebalanceAfterMs': 500, 'cluster.replaceMemberAfterMs': 20_000 } as const;

/** Whole nodes whose partitions are placed, with `factor` replicas each. */
class World extends TestCluster {
  machines: Machine[] = [];

  static async of(count: number, factor: number, options: TestMachineOptions = {}): Promise<World> {
    const world = new World(settle);
    const settings = { ...FAST, 'cluster.initialMembers': count, ...options.settings };
    world.machines = Array.from({ length: count }, (_, i) => world.machine(`node-${i + 1}`, { settings }));
    for (const machine of world.machines) machine.start();
    await world.until(() => world.machines.every(({ node }) => node !== undefined), 'all run');
    const first = nodeOf(world.at(1)).cluster;
    await world.answer(first.bootstrap({ clusterId: CLUSTER, replicationFactor: factor }));
    await world.until(() => world.state().partitions.length > 0, 'partitions are placed');
    const votersMax = count % 2 === 0 ? count - 1 : count;
    await world.until(() => statusOf(world.at(1)).quorum.voters.length === votersMax, 'all vote');
    return world;
  }

  at(number: number): Machine {
    return this.machines[number - 1] as Machine;
  }

  admin(number = 1) {
    return nodeOf(this.at(number)).cluster;
  }

  state(number = 1): Pick<TopologyState, 'partitions' | 'members'> {
    const { state } = nodeOf(this.at(number)).internals.member?.topology ?? {};
    return state ?? { partitions: [], members: new Map() };
  }

  topology(number = 1): TopologyState {
    return nodeOf(this.at(number)).internals.member?.topology.state ?? assert.fail('no topology yet');
  }

  /** The number of the member that runs on a machine. */
  memberOn(number: number): number {
    return statusOf(this.at(number)).node.member ?? assert.fail(`node-${number} is no member`);
  }

  sizes(number = 1): readonly number[] {
    return [...new Set(this.state(number).partitions.map(({ replicas }) => replicas.length))];
  }

  last(number = 1): OperationView {
    return this.admin(number).operations().operations.at(-1) ?? assert.fail('no operation');
  }

  ended(name: string, number = 1): Promise<void> {
    const isOver = ({ id, state }: OperationView) => id === name && state !== 'running';
    return this.until(() => this.admin(number).operations().operations.some(isOver), `${name} has ended`);
  }

  /** All answer at once, each another node. */
  ask(...numbers: number[]): Promise<readonly StopAnswer[]> {
    const asked = numbers.map((number) =>
      this.admin(number).canStop(`node-${number}`, { isLookOnly: false }, signal),
    );
    return this.answer(Promise.all(asked));
  }
}

test('a drain moves all data away and removes the member, which then says so', async () => {
  const world = await World.of(4, 3);
  const drained = world.memberOn(4);
  const { operation } = await world.answer(
    world.admin(2).startOperation({ type: 'drain', member: 'node-4', by: 'me' }, signal),
  );
  await world.ended(operation ?? assert.fail());
  const { state, by, member, partitionsLeft, endedAtMs } = world.last();
  assert.deepEqual([state, by, member, partitionsLeft], ['done', 'me', `member-${drained}`, 0]);
  assert.ok((endedAtMs ?? 0) > 0);
  assert.equal(world.state().members.has(drained), false);
  await world.until(() => statusOf(world.at(4)).node.state === 'excluded', 'it knows');
});

test('O3: the disk of a member that was drained and removed is not taken up again', async () => {
  const world = await World.of(4, 3);
  const { operation } = await world.answer(
    world.admin(1).startOperation({ type: 'drain', member: 'node-4', by: 'me' }, signal),
  );
  await world.ended(operation ?? assert.fail());
  const { nextMember } = world.topology();
  world.at(4).crash();
  world.at(4).start();
  await world.until(() => world.at(4).node !== undefined, 'it runs');
  await world.run(20_000);
  assert.equal(statusOf(world.at(4)).node.state, 'excluded');
  assert.equal(world.topology().nextMember, nextMember, 'no number was given');
});

test('O4: an operation goes on where the leader is killed', async () => {
  const world = await World.of(5, 3);
  const drained = world.memberOn(5);
  const { operation } = await world.answer(
    world.admin(2).startOperation({ type: 'drain', member: 'node-5', by: 'me' }, signal),
  );
  await world.until(() => world.last(2).partitionsMoving > 0, 'it moves', 60_000);
  const leader = statusOf(world.at(2)).leader?.name ?? assert.fail();
  const killed = world.machines.find(({ name }) => name === leader) ?? assert.fail();
  killed.crash();
  const other = world.machines.findIndex(({ node }) => node !== undefined) + 1;
  killed.start();
  await world.ended(operation ?? assert.fail(), other);
  assert.equal(world.state(other).members.has(drained), false);
});

test('a member that is down for long is replaced by itself, and its number is retired', async () => {
  const world = await World.of(4, 3);
  const lost = world.memberOn(4);
  world.at(4).crash();
  await world.until(() => world.admin().operations().operations.length > 0, 'it is replaced');
  const { id, type, by } = world.last();
  assert.deepEqual([type, by], ['replace', 'automatic']);
  await world.ended(id);
  assert.equal(world.state().members.has(lost), false);
});

test('a replacement that began by itself is given up where the member comes back', async () => {
  const world = await World.of(4, 3);
  const lost = world.memberOn(4);
  world.at(4).crash();
  await world.until(() => world.admin().operations().operations.length > 0, 'it is replaced');
  // The moves cannot go on without it and another one: then it comes back.
  world.at(3).crash();
  await world.run(2000);
  world.at(4).start();
  await world.ended(world.admin().operations().operations[0]?.id ?? assert.fail());
  world.at(3).start();
  assert.equal(world.admin().operations().operations[0]?.state, 'cancelled');
  assert.equal(world.state().members.has(lost), true);
});

test('only one of those that are asked at once may stop, and another once it is back', async () => {
  const world = await World.of(3, 3);
  const answers = await world.ask(1, 2, 3);
  const yes = answers.flatMap(({ canStop }, index) => (canStop ? [index + 1] : []));
  assert.equal(yes.length, 1, JSON.stringify(answers));
  const [told] = yes as [number];
  const member = world.memberOn(told);
  for (const [index, answer] of answers.entries())
    if (!answer.canStop) assert.match(answer.reasons.join('; '), /was told that it may stop/, String(index));
  const other = (told % 3) + 1;
  world.at(told).crash();
  assert.equal((await world.ask(other))[0]?.canStop, false);
  world.at(told).start();
  await world.until(() => world.state(other).members.get(member)?.incarnation === 2, 'it is back');
  await world.until(() => statusOf(world.at(other)).members.alive === 3, 'it is seen');
  assert.equal((await world.ask(other))[0]?.canStop, true);
});

test('looking takes no lease', async () => {
  const world = await World.of(3, 3);
  for (const number of [1, 2, 3]) {
    const look = world.admin().canStop(`node-${number}`, { isLookOnly: true }, signal);
    assert.deepEqual(await world.answer(look), { canStop: true });
  }
});

test('of five with three replicas each, two may stop at once only where no set has both', async () => {
  const world = await World.of(5, 3);
  const answers = await world.ask(1, 2, 3, 4, 5);
  const told = answers.flatMap(({ canStop }, index) => (canStop ? [world.memberOn(index + 1)] : []));
  assert.ok(told.length >= 1);
  for (const { replicas } of world.state().partitions)
    assert.ok(replicas.filter((member) => told.includes(member)).length <= 1);
});

test('the replication factor changes while the cluster serves, up and down', async () => {
  const world = await World.of(3, 1);
  assert.deepEqual(world.sizes(), [1]);
  for (const replicationFactor of [3, 2]) {
    const started = world.admin().startOperation({ type: 'factor', replicationFactor, by: 'me' }, signal);
    await world.ended((await world.answer(started)).operation ?? assert.fail());
    assert.deepEqual(world.sizes(), [replicationFactor]);
  }
});

test('refused: the last members that could hold the data, and a member that is up', async () => {
  const world = await World.of(3, 3);
  const refused = (request: Parameters<ReturnType<World['admin']>['startOperation']>[0], code: string) =>
    assert.rejects(world.answer(world.admin().startOperation(request, signal)), { code });
  await refused({ type: 'drain', member: 'node-2', by: 'me' }, 'TOO_FEW_MEMBERS');
  await refused({ type: 'replace', member: 'node-2', by: 'me' }, 'MEMBER_ALIVE');
  await refused({ type: 'replace', member: 'node-2', by: 'me', force: true }, 'TOO_FEW_MEMBERS');
  await refused({ type: 'factor', replicationFactor: 4, by: 'me' }, 'TOO_FEW_MEMBERS');
  await refused({ type: 'drain', member: 'nobody', by: 'me' }, 'MEMBER_NOT_FOUND');
});
