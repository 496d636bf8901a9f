import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLimits } from './plan-limits.ts';

test('where a member is busy few partitions move at once, and none waits for ever', () => {
  const [calm, busy] = [planLimits(0.5), planLimits(0.9)];
  assert.ok(busy.movesMax < calm.movesMax / 4 && busy.enteringPerMemberMax < calm.enteringPerMemberMax / 4);
  assert.ok(planLimits(1).movesMax >= 1 && planLimits(1).enteringPerMemberMax >= 1);
  assert.deepEqual(planLimits(0), calm);
});
