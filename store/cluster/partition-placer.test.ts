import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from '../core/topology/apply.ts';
import type { TopologyCommand } from '../core/topology/command.ts';
import { createTopology } from '../core/topology/genesis.ts';
import type { TopologyState } from '../core/topology/types.ts';
import { settle } from '../io/settle.ts';
import { SimClock } from '../sim/sim-clock.ts';
import type { Machine } from '../sim/world/machine.ts';
import { firstPlacement, PartitionPlacer } from './partition-placer.ts';
import { placementWait, placementWaitText } from './placement-wait.ts';
import { CLUSTER, nodeOf, statusOf, TestCluster } from './test-cluster.ts';

const announcement = { peerAddress: 'a:1', httpAddress: 'a:2', zone: '', version: '1' };

/** A topology of `count` members, of which the last `waiting` have not started under their numbers. */
function topologyOf(count: number, { replicationFactor = 3, waiting = 0 } = {}): TopologyState {
  const first = { ...announcement, name: 'm-1', directoryId: 'd1', weight: 100, incarnation: 1, life: 'l1' };
  let state = createTopology({
    clusterId: CLUSTER,
    settings: { partitions: 8, replicationFactor },
    createdAtMs: 0,
    first,
  });
  const change = (command: TopologyCommand): void => {
    const outcome = applyCommand(state, command);
    assert.equal(outcome.type, 'applied');
    state = outcome.state;
  };
  for (let member = 2; member <= count; member++) {
    const directoryId = `d${member}`;
    const joined = { ...announcement, name: `m-${member}`, directoryId, weight: 100, replaces: undefined };
    change({ type: 'join', ...joined });
    if (member > count - waiting) continue;
    change({ type: 'start', member, directoryId, incarnation: 1, lives: ['l'], ...announcement });
  }
  return state;
}

const everyone = (): boolean => true;

test('firstPlacement: waits for as many members as a set needs, and as it is told, that started and are not dead', () => {
  const isDue = (state: TopologyState, initialMembers: number, isUp = (_: number) => true): boolean =>
    firstPlacement(state, { initialMembers }, isUp) !== undefined;
  assert.equal(isDue(topologyOf(2), 0), false);
  assert.equal(isDue(topologyOf(3), 0), true);
  assert.equal(isDue(topologyOf(3, { waiting: 1 }), 0), false);
  assert.equal(
    isDue(topologyOf(3), 0, (member) => member !== 2),
    false,
  );
  assert.equal(isDue(topologyOf(4), 5), false);
  assert.equal(isDue(topologyOf(5), 5), true);
  assert.equal(isDue(topologyOf(3, { replicationFactor: 1 }), 0), false, 'genesis has placed it');
});

test('firstPlacement: all members that are up share the data, and apply takes it under the epoch it was planned at', () => {
  const state = topologyOf(6, { waiting: 1 });
  const command = firstPlacement(state, { initialMembers: 0 }, (member) => member !== 3);
  assert.ok(command);
  const owners = new Set(command.replicaSets.flat());
  assert.deepEqual([...owners].sort(), [1, 2, 4, 5]);
  const outcome = applyCommand(state, command);
  assert.equal(outcome.type, 'applied');
  assert.equal(applyCommand(outcome.state, command).type, 'refused');
});

test('placementWaitText: says what the placement waits for', () => {
  const textOf = (state: TopologyState, isUp: (member: number) => boolean): string =>
    placementWaitText(placementWait(state, { initialMembers: 0 }, isUp));
  assert.equal(
    textOf(topologyOf(3), (member) => member < 3),
    'waiting for 3 members to be up; 2 are: m-1, m-2',
  );
  assert.equal(textOf(topologyOf(1), everyone), 'waiting for 3 members to be up; 1 is: m-1');
  assert.match(textOf(topologyOf(3), everyone), /about to get/);
});

test('PartitionPlacer: one proposal at a time, only as the leader, and again after a refusal until it is placed', async () => {
  const clock = new SimClock();
  const topology = { state: topologyOf(3) as TopologyState | undefined };
  const proposals: { readonly command: TopologyCommand; readonly end: () => void }[] = [];
  let isLeader = false;
  const placer = new PartitionPlacer(
    { initialMembers: 0, intervalMs: 100 },
    {
      ...{ clock, topology, isLeader: () => isLeader, isUp: everyone },
      propose: (command) => new Promise<void>((end) => void proposals.push({ command, end: () => end() })),
    },
  );
  clock.advance(300);
  assert.equal(proposals.length, 0);
  isLeader = true;
  clock.advance(300);
  assert.equal(proposals.length, 1);
  proposals[0]?.end();
  await settle();
  clock.advance(100);
  assert.equal(proposals.length, 2, 'the topology says that it is not placed');
  const placed = applyCommand(
    topology.state as TopologyState,
    (proposals[1] as (typeof proposals)[0]).command,
  );
  topology.state = placed.state;
  proposals[1]?.end();
  await settle();
  clock.advance(1000);
  assert.equal(proposals.length, 2);
  placer.stop();
  assert.equal(clock.nextDueMs(), undefined);
});

/** Starts nodes of one cluster of replication factor 3 and records each placement that a member sees. */
class Placements {
  readonly cluster = new TestCluster(settle);
  readonly machines: readonly Machine[];
  readonly seen = new Map<string, string[]>();
  readonly #watched = new Set<unknown>();

  constructor(count: number, initialMembers: number) {
    const settings = { 'cluster.initialMembers': initialMembers };
    this.machines = Array.from({ length: count }, (_, i) =>
      this.cluster.machine(`node-${i + 1}`, { settings }),
    );
  }

  async begin(running: readonly Machine[]): Promise<void> {
    for (const machine of running) machine.start();
    await this.cluster.until(() => running.every(({ node }) => node !== undefined), 'all run');
    const asked = nodeOf(running[0] as Machine).cluster.bootstrap({
      clusterId: CLUSTER,
      replicationFactor: 3,
    });
    await this.cluster.answer(asked);
  }

  /** Virtual time, a little at a time, while every new state of every member is looked at. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    await this.cluster.until(() => {
      for (const machine of this.machines) this.#watch(machine);
      return isSo();
    }, what);
  }

  arePlaced(running = this.machines): boolean {
    return running.every((machine) => this.shownAt(machine) !== undefined);
  }

  shownAt({ node }: Machine): string | undefined {
    const state = node?.internals.member?.topology.state;
    return state === undefined || state.partitions.length === 0
      ? undefined
      : JSON.stringify(state.partitions);
  }

  #watch(machine: Machine): void {
    const topology = machine.node?.internals.member?.topology;
    if (topology === undefined || this.#watched.has(topology)) return;
    this.#watched.add(topology);
    const look = (): void => {
      const shown = this.shownAt(machine);
      const seen = this.seen.get(machine.name) ?? [];
      if (shown !== undefined && seen.at(-1) !== shown) this.seen.set(machine.name, [...seen, shown]);
    };
    look();
    topology.onChange(look);
  }
}

for (const count of [3, 5]) {
  test(`${count} members that start together are given the partitions exactly once, and all of them apply it`, async () => {
    const placements = new Placements(count, count);
    await placements.begin(placements.machines);
    await placements.until(() => placements.arePlaced(), 'all placed');
    await placements.cluster.run(5000);
    const [first] = placements.seen.get('node-1') ?? [];
    assert.ok(first !== undefined);
    for (const { name } of placements.machines) assert.deepEqual(placements.seen.get(name), [first]);
    const sets = (JSON.parse(first) as { replicas: number[] }[]).map(({ replicas }) => replicas);
    assert.ok(sets.every((set) => set.length === 3));
    assert.equal(new Set(sets.flat()).size, count, 'all share the data');
    assert.deepEqual(placements.cluster.broken, []);
  });
}

test('a placement that waits says for whom, and a new leader makes it once the last member is up', async () => {
  const placements = new Placements(5, 5);
  const { cluster, machines } = placements;
  const four = machines.slice(0, 4);
  const last = machines[4] as Machine;
  await placements.begin(four);
  const hasFour = (machine: Machine): boolean => {
    const { members, quorum } = statusOf(machine);
    return members.alive === 4 && quorum.voters.length === 3;
  };
  await placements.until(() => four.every(hasFour), 'four are up, three vote');
  await cluster.run(5000);
  assert.equal(placements.seen.size, 0);
  const refused = nodeOf(four[1] as Machine).store.get('default', Uint8Array.of(1));
  await assert.rejects(refused, /waiting for 5 members to be up; 4 are: node-1, node-2, node-3, node-4/);

  const leader = four.find(({ name }) => statusOf(four[1] as Machine).leader?.name === name) as Machine;
  const { name: before } = leader;
  leader.crash();
  last.start();
  const others = machines.filter((machine) => machine !== leader);
  const newLeaderOf = ({ node }: Machine): string | undefined => node?.cluster.status().leader?.name;
  await placements.until(
    () => others.every((each) => ![undefined, before].includes(newLeaderOf(each))),
    'another leads',
  );
  await placements.until(
    () => nodeOf(others[0] as Machine).internals.member?.topology.state?.members.size === 5,
    'the last one has joined',
  );
  leader.start();
  await placements.until(() => placements.arePlaced(), 'all placed');
  const first = placements.seen.get('node-1');
  assert.equal(first?.length, 1);
  for (const { name } of machines) assert.deepEqual(placements.seen.get(name), first);
});
