import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Refusal } from './act.ts';
import { planNext } from './plan-next.ts';
import { upTo } from './test-observation.ts';
import { TestWorld } from './test-world.ts';
import { observationOf } from './test-world-seen.ts';

const ROUNDS_MAX = 600;
const REFUSALS_MAX = 8;
/** More than all times that are waited for. */
const QUIET_ROUNDS = 30;
const RUNS = Number(process.env.TEST_PLAN_RUNS ?? 300);
/** A failure is shrunk no longer than this. */
const LIMITS = { interruptAfterTimeLimit: 120_000, markInterruptAsFailure: false };

/** Where in a reconcile the operator dies, if it does. */
type Death = 'none' | 'before-act' | 'half' | 'before-status';

/** Observe, plan, act, status; `between` happens to the world between the look and the act. True where something was done. */
function reconcile(world: TestWorld, death: Death = 'none', between: () => void = () => {}): boolean {
  const seen = observationOf(world);
  const refused: Refusal[] = [];
  let hasActed = false;
  for (const _ of upTo(REFUSALS_MAX)) {
    const plan = planNext(seen, refused);
    assert.deepEqual(planNext(seen, refused), plan, 'the same observation, another plan');
    if (plan.act === undefined) break;
    if (death === 'before-act') return false;
    between();
    const refusal = world.apply(plan.act, death === 'half');
    hasActed = refusal === undefined;
    if (hasActed) break;
    if (refusal !== undefined) refused.push(refusal);
  }
  if (death === 'none') world.writeStatus(seen);
  return hasActed;
}

/** A number from a script, spread over what can happen. */
function happen(world: TestWorld, kind: number, choice: number): void {
  if (kind < 40) world.step(choice);
  else if (kind < 70) reconcile(world, deathOf(kind), () => kind % 3 === 0 && world.step(choice));
  else if (kind < 85) for (const index of upTo(world.steps.length)) world.step(index);
  else if (kind < 95) changeSpec(world, kind, choice);
  else if (kind < 98) world.fail(choice, Math.floor(choice / 7) % 6);
  else meddle(world, choice);
}

function deathOf(kind: number): Death {
  return (['none', 'none', 'none', 'before-act', 'half', 'before-status'] as const)[kind % 6] ?? 'none';
}

function changeSpec(world: TestWorld, kind: number, choice: number): void {
  const { wish } = world;
  const { replicationFactor } = wish;
  if (kind < 90) {
    world.wish = { ...wish, replicas: Math.max(replicationFactor, 1 + (choice % 6)) };
    return;
  }
  if (kind === 90) world.image = choice % 3 === 0 ? `broken-${choice}` : `v${choice % 5}`;
  if (kind === 91)
    world.wish = { ...wish, replicationFactor: Math.min(wish.replicas, [1, 3, 5][choice % 3] ?? 3) };
  if (kind === 92) world.wish = { ...wish, whenScaled: choice % 2 === 0 ? 'Delete' : 'Retain' };
  if (kind === 93) world.wish = { ...wish, storageBytes: wish.storageBytes + 2 ** 30 };
  if (kind === 94) world.wish = { ...wish, isPaused: choice % 4 === 0 };
}

/** Somebody else's hand at the StatefulSet. */
function meddle({ set, store, ...world }: TestWorld, choice: number): void {
  if (set === undefined || store?.isWhole !== true || world.wish.replicationFactor < 3) return;
  set.replicas = choice % 7;
}

/** Faults and changes of mind have ended: where does it come to rest? */
function settle(world: TestWorld): void {
  world.wish = { ...world.wish, isPaused: false };
  if (world.image.startsWith('broken')) world.image = 'mended';
  let quiet = 0;
  for (const _ of upTo(ROUNDS_MAX)) {
    const hasActed = reconcile(world);
    const hasMoved = upTo(world.steps.length).map((index) => world.step(index));
    quiet = hasActed || hasMoved.includes(true) ? 0 : quiet + 1;
    if (quiet > QUIET_ROUNDS) return;
  }
  const { message, act } = planNext(observationOf(world));
  assert.fail(`not at rest: ${message} ${JSON.stringify(act)}`);
}

function assertAsWished(world: TestWorld): void {
  const { wish, store, set, pods, claims } = world;
  const plan = planNext(observationOf(world));
  const { clustersMade } = world;
  assert.deepEqual([plan.act, plan.waits, plan.refusals], [undefined, [], []], plan.message);
  const names = [...(store?.members.values() ?? [])].map(({ name }) => name).toSorted();
  assert.deepEqual(
    names,
    upTo(wish.replicas).map((ordinal) => `kv-${ordinal}`),
  );
  assert.equal(store?.isWhole, true);
  assert.equal(store?.factor, wish.replicationFactor);
  assert.equal(set?.replicas, wish.replicas);
  assert.equal(pods.size, wish.replicas);
  assert.ok([...pods.values()].every(({ hash }) => hash === world.image));
  assert.equal(clustersMade, 1);
  const beyond = [...claims].filter(([ordinal]) => ordinal >= wish.replicas);
  if (wish.whenScaled === 'Delete') assert.deepEqual(beyond, []);
  assert.ok(beyond.every(([, { left }]) => left !== undefined));
  assert.ok([...claims].every(([ordinal, { left }]) => left === undefined || ordinal >= wish.replicas));
}

test('from any mixture of states it comes to what is wished, and loses nothing on the way', () => {
  const script = fc.array(fc.tuple(fc.nat(99), fc.nat(9999)), { minLength: 20, maxLength: 160, size: 'max' });
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(script, (happenings) => {
      const world = new TestWorld();
      for (const [kind, choice] of happenings) happen(world, kind, choice);
      settle(world);
      assertAsWished(world);
      for (const [type, count] of world.done) seen.set(type, (seen.get(type) ?? 0) + count);
    }),
    { numRuns: RUNS, ...LIMITS },
  );
  const expected = [
    'bootstrap',
    'drain',
    'cancel-drain',
    'set-replicas',
    'restart-pod',
    'replace-volume',
    'delete-claim',
  ];
  assert.deepEqual(
    expected.filter((type) => !seen.has(type)),
    [],
    'the script does not come to all acts',
  );
});

test('deletion: volumes by policy, and everything else is gone, whenever it comes', () => {
  const script = fc.array(fc.tuple(fc.nat(99), fc.nat(9999)), { maxLength: 80, size: 'max' });
  fc.assert(
    fc.property(script, fc.boolean(), (happenings, keeps) => {
      const world = new TestWorld();
      world.wish = { ...world.wish, whenDeleted: keeps ? 'Retain' : 'Delete' };
      settle(world);
      for (const [kind, choice] of happenings) happen(world, kind, choice);
      world.wish = { ...world.wish, isPaused: false };
      // Volumes that are to go need the finalizer before; all else goes at any time.
      while (!keeps && !world.hasFinalizer) reconcile(world);
      const before = [...world.claims.values()].filter(({ isTerminating }) => !isTerminating);
      world.isDeleting = true;
      for (const _ of upTo(100)) {
        reconcile(world);
        if (!world.hasFinalizer) break;
        for (const index of upTo(world.steps.length)) world.step(index);
      }
      world.collect();
      assert.deepEqual(
        [...world.pods.values()].filter(({ isTerminating }) => !isTerminating),
        [],
      );
      const after = [...world.claims.values()].filter(({ isTerminating }) => !isTerminating);
      assert.deepEqual(after, keeps ? before : []);
    }),
    { numRuns: Math.ceil(RUNS / 3), ...LIMITS },
  );
});
