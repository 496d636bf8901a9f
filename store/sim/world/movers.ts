import type { Prng } from '../../core/prng/prng.ts';
import type { MoveCommand } from '../../core/topology/command.ts';
import type { Partition, TopologyState } from '../../core/topology/types.ts';
import type { Machine } from './machine.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

/**
 * Somebody moves partitions to sets of his own, cancels moves in any stage and begins them again with the same members, while something
 * happens to those that take part: far more moves, and of other kinds, than members that come and go bring about.
 */
export function startMovers(world: SimWorld, everyMs: number, prng: Prng): void {
  const latest = new Map<number, readonly number[]>();
  const next = (): void => {
    if (world.isCalm) return;
    act(world, latest, prng);
    world.later(prng.unit() * 2 * everyMs, next);
  };
  world.later(prng.unit() * 2 * everyMs, next);
  startLosses(world, prng);
}

/** What W others hold some member lacks, now this one, now that one: what moves must not miss has to be missing somewhere. */
function startLosses(world: SimWorld, prng: Prng): void {
  const next = (): void => {
    const machine = pick(world.machines, prng);
    if (world.isCalm || machine === undefined) return;
    const durationMs = prng.unit() * 1500;
    loseData(world, machine, durationMs, prng);
    world.later(durationMs * prng.unit() * 2, next);
  };
  world.later(prng.unit() * 2000, next);
}

function loseData(world: SimWorld, { name }: Machine, durationMs: number, prng: Prng): void {
  world.trace.note(`${name} misses requests of replicas`, () => `${Math.round(durationMs)} ms`);
  world.network.loseData(name, 0.3 + prng.unit());
  world.later(durationMs, () => world.network.loseData(name, 0));
}

function act(world: SimWorld, latest: Map<number, readonly number[]>, prng: Prng): void {
  const state = stateOf(world, prng)?.state;
  const number = prng.below(Math.max(1, state?.partitions.length ?? 0));
  const { replicas, move } = state?.partitions[number] ?? {};
  // Mostly the first, of whom copies are made.
  const [first, ...others] = replicas ?? [];
  const missing = pick(
    machinesOf(world, first === undefined || prng.below(2) === 0 ? others : [first]),
    prng,
  );
  if (move !== undefined || missing === undefined || prng.below(2) === 0) {
    step(world, number, latest, prng);
    return;
  }
  // What somebody of the set missed just now is what the move has to bring.
  const durationMs = 20 + prng.unit() * 500;
  loseData(world, missing, durationMs + prng.unit() * prng.unit() * 1000, prng);
  world.later(durationMs, () => step(world, number, latest, prng));
}

/** The next step of somebody who knows the topology as one of the members does. */
function step(world: SimWorld, number: number, latest: Map<number, readonly number[]>, prng: Prng): void {
  const { member, state } = stateOf(world, prng) ?? {};
  const partition = state?.partitions[number];
  if (world.isCalm || member === undefined || state === undefined || partition === undefined) return;
  const command = commandOf(state, number, partition, latest, prng);
  const concerned = [...partition.replicas, ...(latest.get(number) ?? [])];
  if (prng.below(2) === 0) world.later(prng.unit() * 300, () => trouble(world, concerned, prng));
  if (command === undefined) return;
  world.trace.note(`${command.type} of partition ${number}`, () => concerned.join(' '));
  member.calls.propose(command, new AbortController().signal).catch(() => {});
}

function stateOf(world: SimWorld, prng: Prng) {
  const asked = pick(
    world.machines.filter(({ node }) => node !== undefined),
    prng,
  );
  const member = asked?.node?.internals.member;
  const state = member?.topology.state;
  return member === undefined || state === undefined ? undefined : { member, state };
}

/** Of what is moving only some is cancelled, so that most moves come to their end. */
function commandOf(
  state: TopologyState,
  number: number,
  { epoch, replicas, move }: Partition,
  latest: Map<number, readonly number[]>,
  prng: Prng,
): MoveCommand | undefined {
  if (move !== undefined) {
    const at = { partition: number, session: move.session, epoch };
    return prng.below(3) === 0 ? { type: 'move-cancel', moves: [at] } : undefined;
  }
  const known = latest.get(number);
  const to = known !== undefined && prng.below(2) === 0 ? known : drawSet(state, prng);
  latest.set(number, prng.below(3) === 0 ? replicas : to);
  const { replicationFactor } = state.settings;
  return { type: 'move-start', replicationFactor, moves: [{ partition: number, epoch, to }] };
}

function drawSet({ members, settings }: TopologyState, prng: Prng): readonly number[] {
  const left = [...members.keys()];
  return Array.from({ length: Math.min(settings.replicationFactor, left.length) }, () => {
    const [taken] = left.splice(prng.below(left.length), 1);
    return taken as number;
  });
}

function machinesOf(world: SimWorld, members: readonly number[]): readonly Machine[] {
  return world.machines.filter(({ log }) => members.includes(log.identity?.member ?? 0));
}

/** Short, so that the stages of a move go on meanwhile. */
function trouble(world: SimWorld, concerned: readonly number[], prng: Prng): void {
  if (world.isCalm) return;
  const some = machinesOf(world, concerned).filter(({ node }) => node !== undefined);
  const machine = pick(some, prng);
  if (machine === undefined) return;
  const durationMs = 20 + prng.unit() * prng.unit() * 2000;
  switch (prng.below(5)) {
    case 0:
      pause(world, machine, durationMs);
      return;
    case 1:
      machine.crash();
      // Some come back only when the partition has left them, and maybe comes again.
      world.startAfter(machine, prng.unit() * (prng.below(3) === 0 ? 5000 : 500));
      return;
    case 2:
      slowDisk(world, machine, durationMs);
      return;
    default:
      leaveBehind(world, some, durationMs, prng);
  }
}

function pause(world: SimWorld, { life, name }: Machine, durationMs: number): void {
  world.trace.note(`${name} pauses`);
  life?.process.pause();
  world.later(durationMs, () => life?.process.resume());
}

function slowDisk(world: SimWorld, { disk, name }: Machine, durationMs: number): void {
  world.trace.note(`the disk of ${name} is slow`);
  disk.faults.syncDelayMs = 20 + durationMs / 4;
  world.later(durationMs, () => {
    disk.faults.syncDelayMs = 0;
  });
}

/** Some hear late of what the leader decides, and speak with all others as ever. */
function leaveBehind(world: SimWorld, concerned: readonly Machine[], durationMs: number, prng: Prng): void {
  const leader = world.machines.find(({ node }) => node?.cluster.status().node.role === 'leader');
  if (leader === undefined) return;
  const behind = world.machines.filter(
    (machine) => machine !== leader && prng.below(concerned.includes(machine) ? 2 : 4) === 0,
  );
  world.trace.note(`${leader.name} is heard late`, () => behind.map(({ name }) => name).join(' '));
  for (const { name } of behind) {
    world.network.slowDown(leader.name, name, 50 + prng.below(1000));
    world.later(durationMs, () => world.network.slowDown(leader.name, name, 1));
  }
}
