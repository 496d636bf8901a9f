import type { ClusterStatus } from '../../cluster/cluster-admin.ts';
import type { Prng } from '../../core/prng/prng.ts';
import { describeFact } from '../checkers/partition-facts.ts';
import { Violation } from '../checkers/violation.ts';
import { wallMsAt } from '../node-clock.ts';
import { formatConfiguration } from '../raft/format.ts';
import type { Machine } from './machine.ts';
import { pick } from './pick.ts';
import { change, noOutcomes } from './workload.ts';
import type { SimWorld } from './world.ts';

/** Virtual time from the last fault to a cluster of which every part is well. */
const CONVERGENCE_MS_MAX = 120_000;
const STEP_MS = 500;
const RIGHT_CLOCK = { rate: 1, wallOffsetMs: 0 };

/**
 * The faults stop, and people do what they have to (an excluded node gets an empty disk). Within bounded time every
 * node is a member, there is one leader, all have applied the same epoch and hold each other for alive, and a change
 * can be made through any of them. Says why not, where a cluster has lost its majority for good: nothing follows then.
 */
export async function converge(world: SimWorld, prng: Prng): Promise<'converged' | 'no quorum left'> {
  calm(world);
  const limitMs = CONVERGENCE_MS_MAX + aheadMs(world);
  const endMs = world.timeline.nowMs + limitMs;
  const clusters = (): string[] => [...world.watches.keys()];
  let isChanged = false;
  while (!world.hasFailed) {
    await world.run(STEP_MS);
    tend(world);
    if (clusters().some((clusterId) => isLost(world, clusterId))) return 'no quorum left';
    const problem = whatIsLeft(world);
    if (problem === undefined && isChanged) break;
    // Once: it is a weight that is changed, by which partitions may move for longer than until the next look.
    if (problem === undefined) isChanged = await makeLastChanges(world, prng);
    if (world.timeline.nowMs < endMs || world.hasFailed) continue;
    describeAll(world);
    throw new Violation('convergence', `after ${limitMs} ms: ${problem ?? 'no change can be made'}`);
  }
  for (const clusterId of clusters()) {
    const { history, clients } = world.watchOf(clusterId);
    if (history.state !== undefined) world.guard(() => clients.ended(history.state as never));
  }
  return 'converged';
}

function calm(world: SimWorld): void {
  world.trace.note('the faults stop');
  world.isCalm = true;
  world.latestWall.note();
  world.network.calm();
  for (const machine of world.machines) {
    Object.assign(machine.disk.faults, {
      failNextWrite: false,
      failNextSync: false,
      failNextRead: false,
      isFull: false,
      syncDelayMs: 0,
    });
    machine.life?.process.resume();
    machine.start();
    // Somebody sets the clocks right where data is asked for; the topology does without.
    if (world.hasData) machine.clock.wallOffsetMs = -world.timeline.nowMs * (machine.clock.rate - 1);
  }
}

/**
 * What a clock that was ahead has stamped, replicas take only once their clocks have come there. Time that passes by itself
 * catches up with it, at the latest after this.
 */
function aheadMs(world: SimWorld): number {
  if (!world.hasData) return 0;
  return Math.max(0, world.latestWall.nowMs - wallMsAt(RIGHT_CLOCK, world.timeline.nowMs));
}

/** What the people who run the cluster do. */
function tend(world: SimWorld): void {
  if (world.watches.size === 0) {
    const first = world.machines[0];
    if (first !== undefined) world.bootstrap(first, 'same');
  }
  for (const machine of world.machines) {
    machine.start();
    if (machine.node?.cluster.status().node.state !== 'excluded') continue;
    machine.replaceDisk(undefined);
    machine.start();
  }
}

function isLost(world: SimWorld, clusterId: string): boolean {
  return world.watchOf(clusterId).history.state !== undefined && !world.hasQuorums(clusterId);
}

/** In words; undefined where all is well. */
function whatIsLeft(world: SimWorld): string | undefined {
  const views: { machine: Machine; status: ClusterStatus }[] = [];
  for (const machine of world.machines) {
    const status = machine.node?.cluster.status();
    if (status === undefined || machine.life?.isStopping === true) return `${machine.name} is not up`;
    const { state, reason } = status.node;
    if (state !== 'member') return `${machine.name} is ${state}: ${reason}`;
    views.push({ machine, status });
  }
  for (const clusterId of clustersOf(views)) {
    const problem = whatIsLeftOf(
      world,
      clusterId,
      views.filter(({ status }) => status.clusterId === clusterId),
    );
    if (problem !== undefined) return problem;
  }
  for (const clusterId of clustersOf(views)) {
    const problem = whatMoves(world, clusterId);
    if (problem !== undefined) return problem;
  }
  for (const data of world.data) {
    const difference = data.findDifference();
    if (difference !== undefined) return difference;
  }
  return undefined;
}

type View = { readonly machine: Machine; readonly status: ClusterStatus };

const clustersOf = (views: readonly View[]): ReadonlySet<string> =>
  new Set(views.map(({ status }) => status.clusterId ?? ''));

/** Moves come to their end, and no replica stays with a number that nobody has any more. */
function whatMoves(world: SimWorld, clusterId: string): string | undefined {
  const state = world.watchOf(clusterId).history.state;
  for (const [number, { replicas, move }] of state?.partitions.entries() ?? []) {
    if (move !== undefined) return `partition ${number} is in the stage ${move.stage} of a move`;
    const retired = replicas.find((member) => state?.members.has(member) === false);
    if (retired !== undefined) return `partition ${number} has a replica at ${retired}, which was replaced`;
  }
  return undefined;
}

function whatIsLeftOf(
  world: SimWorld,
  clusterId: string,
  views: readonly { readonly machine: Machine; readonly status: ClusterStatus }[],
): string | undefined {
  const leaders = views.filter(({ status }) => status.node.role === 'leader');
  if (leaders.length !== 1) return `${leaders.length} leaders`;
  const leader = leaders[0]?.status.node.member;
  const state = world.watchOf(clusterId).history.state;
  if (state === undefined) return 'no topology';
  if (state.members.size !== views.length) return `${state.members.size} members on ${views.length} nodes`;
  for (const { machine, status } of views) {
    if (status.leader?.member !== leader) return `${machine.name} follows ${status.leader?.name ?? 'nobody'}`;
    if (status.epoch !== state.epoch) return `${machine.name} is at epoch ${status.epoch} of ${state.epoch}`;
    const { total, alive } = status.members;
    if (alive !== total) return `${machine.name} holds ${total - alive} of ${total} for gone`;
    if (state.members.get(status.node.member as never)?.state !== 'up')
      return `${machine.name} is not registered`;
  }
  return undefined;
}

/** For who reads the trace. */
function describeAll(world: SimWorld): void {
  for (const { name, node, log, facts } of world.machines) {
    for (const [partition, fact] of facts.byPartition)
      world.trace.note(`${name}, partition ${partition}`, () => describeFact(fact));
    const status = node?.cluster.status();
    const configuration = log.configuration();
    world.trace.note(name, () =>
      [
        `member ${status?.node.member} of ${status?.clusterId?.slice(0, 4)}: ${status?.node.state} ${status?.node.role}`,
        `term ${status?.term} leader ${status?.leader?.member} epoch ${status?.epoch} commit ${status?.commitIndex}`,
        `applied ${status?.appliedIndex} alive ${status?.members.alive}/${status?.members.total}`,
        configuration === undefined ? 'no configuration' : formatConfiguration(configuration),
        `snapshot ${log.pointer?.index} last ${log.last} ${status?.quorum.reason ?? ''}`,
      ].join(', '),
    );
  }
}

/** One change in each cluster through some node; true where they were made. */
async function makeLastChanges(world: SimWorld, prng: Prng): Promise<boolean> {
  const outcomes = noOutcomes();
  const { machines } = world;
  const clusters = [...new Set(machines.map(({ log }) => log.identity?.clusterId ?? ''))];
  for (const clusterId of clusters) {
    const machine = pick(
      machines.filter(({ log }) => log.identity?.clusterId === clusterId),
      prng,
    );
    const { node } = machine ?? {};
    if (machine === undefined || node === undefined) return false;
    const weight = 1 + prng.below(99);
    const watch = world.watchOf(clusterId);
    const client = { world, prng, machine, admin: node.cluster, watch, known: undefined, outcomes };
    const expectation = {
      text: `last weight of ${machine.name} = ${weight}`,
      holds: (
        state: { readonly members: ReadonlyMap<number, { readonly weight: number }> },
        subject: number,
      ) => state.members.get(subject)?.weight === weight,
    };
    const signal = new AbortController().signal;
    const changing = change(client, expectation, () =>
      node.cluster.updateMember(machine.name, { weight }, signal),
    );
    changing.catch((error: unknown) => world.fail(error));
  }
  await world.run(2000);
  return outcomes.acknowledged === clusters.length;
}
