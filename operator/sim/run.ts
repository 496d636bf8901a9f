import { createHash } from 'node:crypto';
import { createPrng, type Prng } from '../../store/core/prng/prng.ts';
import { Violation } from '../../store/sim/checkers/violation.ts';
import { podMonitors } from '../reconcile/kinds.ts';
import { WRITES } from '../testing/fake-api-server-call.ts';
import { NO_FAULTS } from './faults.ts';
import { comeToRest } from './rest.ts';
import { theLastDays } from './stories.ts';
import { ORDERLY } from './watches.ts';
import { SimWorld, violationOf } from './world.ts';

export type Verdict = {
  readonly seed: number;
  readonly violation: { readonly check: string; readonly message: string } | undefined;
  /** Of everything that happened, in order: equal for equal seeds. */
  readonly digest: string;
  readonly clusters: number;
  readonly virtualMs: number;
  readonly calls: number;
  readonly deaths: number;
  readonly rights: readonly string[];
  readonly trace: readonly string[];
};

const MINUTE_MS = 60_000;
const CHAOS_MS = 25 * MINUTE_MS;
const AFTER_MS = 31 * MINUTE_MS;
/** One in so many KVClusters finds a name that it needs taken. */
const STRANGERS_LESS = 12;
const IDLE_MS = 35 * MINUTE_MS;

/** Faults and changes of mind, then neither: all must come to what is wished, and then be quiet. */
export async function runSeed(seed: number): Promise<Verdict> {
  const world = new SimWorld(seed);
  let violation: Verdict['violation'];
  try {
    await story(world, createPrng(seed + 1_000_003));
  } catch (error) {
    violation = violationOf(error);
    world.note(`${violation.check}: ${violation.message}`);
  }
  world.stop();
  const { trace, deaths, clock, api, checks, clusters } = world;
  const digest = createHash('sha256').update(trace.join('\n')).digest('hex').slice(0, 16);
  const calls = api.calls.at(-1)?.number ?? 0;
  return {
    ...{ seed, violation, digest, clusters: clusters.length, virtualMs: clock.monotonicMs(), calls, deaths },
    ...{ rights: [...checks.rights], trace },
  };
}

async function story(world: SimWorld, prng: Prng): Promise<void> {
  await chaos(world, prng);
  await theLastDays(world, prng);
  await comeToRest(world, world.clusters);
  // What nobody waits for comes later: an event, the end of a finalizer, and a status that rested on an event that was lost.
  await world.run(AFTER_MS);
  const { writes } = world.api;
  await world.run(IDLE_MS);
  if (world.api.writes > writes) throw new Violation('at rest nothing is written', lastWrites(world, writes));
}

async function chaos(world: SimWorld, prng: Prng): Promise<void> {
  const rate = (max: number) => (prng.below(3) === 0 ? 0 : prng.below(max + 1));
  const calls = { refusals: rate(60), losses: rate(40), deaths: rate(12), delays: rate(60) };
  world.faults.rates = { ...calls, pauses: rate(6) };
  world.watches.rates = { late: rate(150), lost: rate(20), early: rate(100) };
  let isOn = true;
  for (const { user } of world.clusters) {
    const pace = 20_000 + prng.below(120_000);
    world.every(pace, () => isOn && user.act());
  }
  const outages = (1 + prng.below(6)) * MINUTE_MS;
  world.every(outages, () => isOn && world.outages.act());
  world.every(2 * MINUTE_MS, () => {
    if (isOn) world.watches.disturb((['cut', 'end', 'freeze', 'expire'] as const)[prng.below(4)] ?? 'cut');
  });
  world.after(prng.below(CHAOS_MS), () => world.api.define(podMonitors));
  for (const { user } of world.clusters) if (prng.below(STRANGERS_LESS) === 0) user.meetStranger();
  world.start();
  await world.run(CHAOS_MS);
  isOn = false;
  world.faults.rates = NO_FAULTS;
  world.watches.rates = ORDERLY;
  world.outages.comeToRest();
}

function lastWrites({ api, trace }: SimWorld, before: number): string {
  const calls = api.calls.filter(({ verb, resource }) => WRITES.includes(verb) && resource?.kind !== 'Lease');
  const texts = calls
    .slice(before - api.writes)
    .map(({ verb, path, body }) => `${verb} ${path} ${JSON.stringify(body)}`);
  return `${api.writes - before} writes: ${texts.join('; ')}; the last changes: ${trace.slice(-5).join('; ')}`;
}
