import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from '../../store/sim/sim-clock.ts';
import type { KVClusterStatus } from '../api/kvcluster.ts';
import { StatusPace } from './status-pace.ts';

function status(reason: string, message: string, changes: Partial<KVClusterStatus> = {}): KVClusterStatus {
  const condition = { type: 'Progressing', status: 'True' as const, reason, message };
  return {
    observedGeneration: 1,
    conditions: [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }],
    ...changes,
  };
}

test('words wait for a second, verdicts do not', () => {
  const clock = new SimClock();
  const pace = new StatusPace({ clock });
  const before = status('ApplyChild', 'one');
  assert.equal(pace.waitMs('a', undefined, before), 0);
  pace.wrote('a');
  clock.advance(300);
  assert.equal(pace.waitMs('a', before, status('ApplyChild', 'two')), 700);
  assert.equal(pace.waitMs('b', before, status('ApplyChild', 'two')), 0, 'each cluster by itself');
  assert.equal(pace.waitMs('a', before, status('Bootstrap', 'one')), 0);
  assert.equal(pace.waitMs('a', before, status('ApplyChild', 'one', { observedGeneration: 2 })), 0);
  assert.equal(pace.waitMs('a', before, status('ApplyChild', 'one', { epoch: 1 })), 0);
  clock.advance(700);
  assert.equal(pace.waitMs('a', before, status('ApplyChild', 'two')), 0);
});
