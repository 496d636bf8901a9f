import assert from 'node:assert/strict';
import type { Observation } from '../observation.ts';
import type { Act } from './act.ts';
import { type Plan, planNext } from './plan-next.ts';

const RESTS: Plan = {
  act: undefined,
  message: 'all is as it should be',
  waits: [],
  refusals: [],
  requeueMs: 0,
};

/** Plans one act that has these fields, at once. */
export function acts(seen: Observation, expected: Partial<Act> & Pick<Act, 'type'>): Plan {
  const plan = planNext(seen);
  assert.ok(plan.act, `no act: ${plan.message}`);
  const found = Object.fromEntries(Object.entries(plan.act).filter(([key]) => key in expected));
  assert.deepEqual(found, expected, plan.message);
  assert.equal(plan.requeueMs, 0);
  return plan;
}

/** Plans no act, and waits for that reason. */
export function waits(seen: Observation, reason: string, message?: RegExp): Plan {
  const plan = planNext(seen);
  assert.equal(plan.act, undefined, plan.message);
  const note = plan.waits.find((each) => each.reason === reason);
  assert.ok(note, `${reason} is not among ${JSON.stringify(plan)}`);
  if (message !== undefined) assert.match(note.message, message);
  assert.ok(plan.requeueMs > 0);
  return plan;
}

/** Plans no act, and says that it cannot for that reason. */
export function refuses(seen: Observation, reason: string, message: RegExp): Plan {
  const plan = planNext(seen);
  assert.equal(plan.act, undefined, plan.message);
  const note = plan.refusals.find((each) => each.reason === reason);
  assert.ok(note, `${reason} is not among ${JSON.stringify(plan)}`);
  assert.match(note.message, message);
  return plan;
}

/** Finds nothing to do, and waits for nothing. */
export function rests(seen: Observation): void {
  const plan = planNext(seen);
  assert.deepEqual({ ...plan, requeueMs: 0 }, { ...RESTS, requeueMs: 0 });
}
