import type { Prng } from '../../core/prng/prng.ts';
import { pick } from './pick.ts';
import type { SimWorld } from './world.ts';

const FACTORS = [1, 30, 100, 400];

/**
 * Now and then what one machine sends arrives late, at each other machine by another measure: requests of one coordinator
 * span what goes on between the others, a whole round among them.
 */
export function startSlowSpells(world: SimWorld, everyMs: number, prng: Prng): void {
  const next = (): void => {
    if (world.isCalm) return;
    slow(world, prng);
    world.later(prng.unit() * 2 * everyMs, next);
  };
  world.later(prng.unit() * 2 * everyMs, next);
}

function slow(world: SimWorld, prng: Prng): void {
  const from = pick(world.machines, prng)?.name;
  if (from === undefined) return;
  const durationMs = 200 + prng.unit() * 2000;
  for (const { name: to } of world.machines) {
    const factor = pick(FACTORS, prng) ?? 1;
    if (to === from || factor === 1) continue;
    world.network.slowDown(from, to, factor);
    world.later(durationMs, () => world.network.slowDown(from, to, 1));
  }
  world.trace.note(`what ${from} sends is slow`);
}
