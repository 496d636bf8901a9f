import { createHash } from 'node:crypto';
import { createPrng } from '../../store/core/prng/prng.ts';
import { Violation } from '../../store/sim/checkers/violation.ts';
import { persistentVolumeClaims, pods, statefulSets } from '../kube/resources.ts';
import { LEFT_ANNOTATION } from '../reconcile/claim-seen.ts';
import { kvClusters, podMonitors } from '../reconcile/kinds.ts';
import { WRITES } from '../testing/fake-api-server-call.ts';
import { NO_FAULTS } from './faults.ts';
import { REF } from './user.ts';
import { ORDERLY } from './watches.ts';
import { SimWorld, violationOf } from './world.ts';

export type Verdict = {
  readonly seed: number;
  readonly violation: { readonly check: string; readonly message: string } | undefined;
  /** Of everything that happened, in order: equal for equal seeds. */
  readonly digest: string;
  readonly virtualMs: number;
  readonly calls: number;
  readonly deaths: number;
  readonly rights: readonly string[];
  readonly trace: readonly string[];
};

const MINUTE_MS = 60_000;
const CHAOS_MS = 25 * MINUTE_MS;
/** What was never told of is found at the next list, and drains and replacements take their time. */
const REST_MS = 150 * MINUTE_MS;
const AFTER_MS = 31 * MINUTE_MS;
const IDLE_MS = 35 * MINUTE_MS;

/** Faults and changes of mind, then neither: all must come to what is wished, and then be quiet. */
export async function runSeed(seed: number): Promise<Verdict> {
  const world = new SimWorld(seed);
  let violation: Verdict['violation'];
  try {
    await story(world, seed);
  } catch (error) {
    violation = violationOf(error);
    world.note(`${violation.check}: ${violation.message}`);
  }
  world.stop();
  const { trace, deaths, clock, api, checks } = world;
  const digest = createHash('sha256').update(trace.join('\n')).digest('hex').slice(0, 16);
  const calls = api.calls.at(-1)?.number ?? 0;
  return {
    seed,
    violation,
    digest,
    virtualMs: clock.monotonicMs(),
    calls,
    deaths,
    rights: [...checks.rights],
    trace,
  };
}

async function story(world: SimWorld, seed: number): Promise<void> {
  const prng = createPrng(seed + 1_000_003);
  const rate = (max: number) => (prng.below(3) === 0 ? 0 : prng.below(max + 1));
  const calls = { refusals: rate(60), losses: rate(40), deaths: rate(12), delays: rate(60) };
  world.faults.rates = { ...calls, pauses: rate(6) };
  world.watches.rates = { late: rate(150), lost: rate(20), early: rate(100) };
  const pace = 20_000 + prng.below(120_000);
  let isChaos = true;
  world.every(pace, () => isChaos && world.user.act());
  world.every(2 * MINUTE_MS, () => {
    if (isChaos) world.watches.disturb((['cut', 'end', 'freeze', 'expire'] as const)[prng.below(4)] ?? 'cut');
  });
  world.after(prng.below(CHAOS_MS), () => world.api.define(podMonitors));
  world.start();
  await world.run(CHAOS_MS);
  isChaos = false;
  world.faults.rates = NO_FAULTS;
  world.watches.rates = ORDERLY;
  world.user.comeToRest();
  world.after(prng.below(20 * MINUTE_MS), () => world.user.edit());
  await rest(world);
  // What nobody waits for comes later: an event, the end of a finalizer, and a status that rested on an event that was lost.
  await world.run(AFTER_MS);
  const { writes } = world.api;
  await world.run(IDLE_MS);
  if (world.api.writes > writes) throw new Violation('at rest nothing is written', lastWrites(world, writes));
}

async function rest(world: SimWorld): Promise<void> {
  let nextLookMs = 0;
  const isAtRest = await world.run(REST_MS, () => {
    // A look at everything costs more than most steps.
    if (world.clock.monotonicMs() < nextLookMs) return false;
    nextLookMs = world.clock.monotonicMs() + 5000;
    return obstacle(world) === undefined;
  });
  if (!isAtRest) throw new Violation('it comes to what is wished', obstacle(world) ?? '');
}

/** What is not as it is wished. */
function obstacle(world: SimWorld): string | undefined {
  return world.user.isWanted ? obstacleToServe(world) : obstacleToGo(world);
}

function obstacleToGo({ api, user }: SimWorld): string | undefined {
  if (api.get(kvClusters, REF) !== undefined) return 'the KVCluster is still there';
  if (api.get(statefulSets, REF) !== undefined) return 'the StatefulSet is still there';
  const left = api.list(pods).map(({ metadata }) => metadata.name);
  if (left.length > 0) return `${left} run on`;
  const claims = api.list(persistentVolumeClaims).map(({ metadata }) => metadata.name);
  return !user.doVolumesGo || claims.length === 0 ? undefined : `${claims} are still there`;
}

function obstacleToServe({ api, user, view }: SimWorld): string | undefined {
  const cluster = api.get(kvClusters, REF);
  const { replicas, replicationFactor } = user.spec;
  const conditions = (cluster?.status?.conditions ?? []).map(({ type, status, reason, message }) => ({
    type,
    is: `${status} ${reason}`,
    message,
  }));
  const told = new Map(conditions.map(({ type, is }) => [type, is]));
  const expected = { Ready: 'True Serving', Progressing: 'False AsWished', Degraded: 'False AllWell' };
  for (const [type, is] of Object.entries(expected))
    if (told.get(type) !== is)
      return `${type} is ${told.get(type)}: ${conditions.find((each) => each.type === type)?.message}`;
  if (cluster?.status?.observedGeneration !== cluster?.metadata.generation)
    return 'the newest spec was not seen';
  const members = [...(view.inner?.members.values() ?? [])].map(({ name }) => name).toSorted();
  const wanted = Array.from({ length: replicas }, (_, ordinal) => `kv-${ordinal}`);
  if (members.join() !== wanted.join()) return `members are ${members}, of ${replicas}`;
  if (view.inner?.isWhole !== true || view.inner.factor !== replicationFactor)
    return 'the store is not whole';
  const set = api.get(statefulSets, REF)?.spec;
  if (set?.replicas !== replicas) return 'the StatefulSet has other replicas';
  if (set.updateStrategy?.type !== 'OnDelete' || set.template.spec?.containers[0]?.args?.join() !== 'server')
    return 'the StatefulSet is as somebody edited it';
  const all = api.list(pods);
  if (all.length !== replicas) return `${all.length} pods, of ${replicas}`;
  const images = new Set(all.map(({ spec }) => spec?.containers?.[0]?.image));
  if (images.size !== 1) return `pods run ${[...images]}`;
  return obstacleInClaims({ api, user });
}

function obstacleInClaims({ api, user }: Pick<SimWorld, 'api' | 'user'>): string | undefined {
  const { replicas, storage } = user.spec;
  const wrong = api.list(persistentVolumeClaims).filter(({ metadata }) => {
    const ordinal = Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));
    const isMarked = metadata.annotations?.[LEFT_ANNOTATION] !== undefined;
    if (ordinal < replicas) return isMarked;
    return !isMarked || storage?.retention?.whenScaled === 'Delete';
  });
  return wrong.length === 0
    ? undefined
    : `${wrong.map(({ metadata }) => metadata.name)} should not be as they are`;
}

function lastWrites({ api, trace }: SimWorld, before: number): string {
  const calls = api.calls.filter(({ verb, resource }) => WRITES.includes(verb) && resource?.kind !== 'Lease');
  const texts = calls
    .slice(before - api.writes)
    .map(({ verb, path, body }) => `${verb} ${path} ${JSON.stringify(body)}`);
  return `${api.writes - before} writes: ${texts.join('; ')}; the last changes: ${trace.slice(-5).join('; ')}`;
}
