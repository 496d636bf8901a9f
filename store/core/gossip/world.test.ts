import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GossipWorld } from '../../sim/gossip/world.ts';

/**
 * `GOSSIP_SEEDS=20000` runs more, `GOSSIP_FIRST_SEED` begins elsewhere, `GOSSIP_SEED=N` replays one with its trace.
 */
const SEEDS = Number(process.env.GOSSIP_SEEDS ?? 400);
const FIRST_SEED = Number(process.env.GOSSIP_FIRST_SEED ?? 1);

test('gossip under random faults: knowledge never goes back, and all hold the truth soon after the faults', (t) => {
  if (process.env.GOSSIP_SEED !== undefined) {
    new GossipWorld(Number(process.env.GOSSIP_SEED), (line) => console.log(line)).run();
    return;
  }
  let worstMs = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    worstMs = Math.max(worstMs, runSeed(seed));
  }
  t.diagnostic(`${SEEDS} seeds, slowest convergence ${worstMs} ms`);
  assert.ok(worstMs > 0, 'no seed had anything to converge');
});

function runSeed(seed: number): number {
  try {
    return new GossipWorld(seed).run().convergedAfterMs;
  } catch (error) {
    throw new Error(`seed ${seed} (replay: GOSSIP_SEED=${seed} ./dev.sh test gossip/world)`, {
      cause: error,
    });
  }
}
