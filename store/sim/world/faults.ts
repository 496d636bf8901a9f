import type { Prng } from '../../core/prng/prng.ts';
import type { Weather } from '../network/network.ts';
import type { FaultName } from './fault-names.ts';
import type { Machine } from './machine.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

/** Something goes wrong now; whatever it is, it also sees to its end. */
export type Fault = (world: SimWorld, prng: Prng) => void;

/** Each draws from a generator of its own, so that a run without one of them is as like as can be. */
export const FAULTS: { readonly [Name in FaultName]: Fault } = {
  crash(world, prng) {
    const machine = anyRunning(world, prng);
    machine?.crash();
    if (machine !== undefined) world.startAfter(machine, downMs(prng));
  },
  stop(world, prng) {
    const machine = anyRunning(world, prng);
    machine?.stop();
    if (machine !== undefined) world.startAfter(machine, downMs(prng));
  },
  pause(world, prng) {
    const life = anyRunning(world, prng)?.life;
    if (life === undefined) return;
    world.trace.note(`${life.transport.machine} pauses`);
    life.process.pause();
    world.later(downMs(prng), () => life.process.resume());
  },
  'power-failure'(world, prng) {
    if (prng.below(3) > 0) return;
    for (const machine of world.machines) {
      if (machine.life === undefined) continue;
      machine.crash();
      world.startAfter(machine, prng.unit() * 2000);
    }
  },
  partition(world, prng) {
    const side = new Set(world.machines.filter(() => prng.below(2) === 0));
    cutWhere(world, downMs(prng), (from, to) => side.has(from) !== side.has(to));
  },
  'one-way-cut'(world, prng) {
    const [a, b] = [pick(world.machines, prng), pick(world.machines, prng)];
    cutWhere(world, downMs(prng), (from, to) => from === a && (to === b || prng.below(4) === 0));
  },
  isolation(world, prng) {
    const alone = leaderOf(world, prng) ?? pick(world.machines, prng);
    const way = prng.below(3);
    cutWhere(world, downMs(prng), (from, to) => (way !== 0 && from === alone) || (way !== 1 && to === alone));
  },
  'slow-link'(world, prng) {
    const [a, b] = [pick(world.machines, prng), pick(world.machines, prng)];
    if (a === undefined || b === undefined) return;
    world.network.slowDown(a.name, b.name, 10 + prng.below(500));
    world.later(downMs(prng), () => world.network.slowDown(a.name, b.name, 1));
  },
  storm(world, prng) {
    const storm: Partial<Weather> = {
      lossRate: prng.unit() * 0.5,
      duplicateRate: prng.unit() * 0.5,
      delayMsMean: 1 + prng.unit() * 200,
    };
    Object.assign(world.network.weather, storm);
    world.later(downMs(prng) / 2, () => world.endStorm());
  },
  'link-reset'(world, prng) {
    anyRunning(world, prng)?.life?.transport.reset();
  },
  'slow-disk'(world, prng) {
    const { faults } = pick(world.machines, prng)?.disk ?? {};
    if (faults === undefined) return;
    faults.syncDelayMs = prng.below(3) === 0 ? 1000 + prng.below(4000) : prng.below(300);
    world.later(downMs(prng), () => {
      faults.syncDelayMs = 0;
    });
  },
  'disk-error'(world, prng) {
    const { faults } = anyRunning(world, prng)?.disk ?? {};
    if (faults === undefined) return;
    const kind = prng.below(3);
    faults.failNextWrite = kind === 0;
    faults.failNextSync = kind === 1;
    faults.failNextRead = kind === 2;
  },
  'full-disk'(world, prng) {
    const { faults } = anyRunning(world, prng)?.disk ?? {};
    if (faults === undefined) return;
    faults.isFull = true;
    world.later(downMs(prng) / 2, () => {
      faults.isFull = false;
    });
  },
  'clock-jump'(world, prng) {
    const machine = pick(world.machines, prng);
    if (machine !== undefined) world.jumpClock(machine, prng);
  },
  wipe(world, prng) {
    const machine = pick(world.machines, prng);
    if (machine === undefined || !world.canLose(machine)) return;
    world.loseDisk(machine, downMs(prng));
  },
  'old-disk'(world, prng) {
    world.copies.take(world, prng);
  },
  'bit-flip'(world, prng) {
    const machine = pick(world.machines, prng);
    if (machine?.log.identity === undefined || !world.canLose(machine)) return;
    machine.flipBit(prng);
    world.startAfter(machine, downMs(prng));
  },
  'second-bootstrap'(world, prng) {
    const machine = anyRunning(world, prng);
    if (machine !== undefined) world.bootstrap(machine, prng.below(3) === 0 ? 'same' : 'other');
  },
};

function anyRunning(world: SimWorld, prng: Prng): Machine | undefined {
  // Leaders are where it hurts.
  if (prng.below(3) === 0) return leaderOf(world, prng);
  const running = world.machines.filter(({ life }) => life !== undefined);
  return pick(running, prng);
}

function leaderOf(world: SimWorld, prng: Prng): Machine | undefined {
  const leaders = world.machines.filter(({ node }) => node?.cluster.status().node.role === 'leader');
  return pick(leaders, prng);
}

/** Mostly about as long as an election takes, sometimes much longer. */
function downMs(prng: Prng): number {
  return prng.below(4) === 0 ? prng.unit() * 20_000 : prng.unit() * 3000;
}

function cutWhere(world: SimWorld, durationMs: number, isCut: (from: Machine, to: Machine) => boolean): void {
  const { machines, network } = world;
  const cut: string[] = [];
  for (const from of machines)
    for (const to of machines) {
      if (from === to || !isCut(from, to)) continue;
      network.cut(from.name, to.name);
      cut.push(`${from.name}>${to.name}`);
      world.later(durationMs, () => network.mend(from.name, to.name));
    }
  world.trace.note('cut', () => cut.join(' '));
}
