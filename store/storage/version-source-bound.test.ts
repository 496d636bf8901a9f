import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from '../core/version/version.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryEngine } from '../sim/memory-engine.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { createSimRandom } from '../sim/sim-random.ts';
import { createMetaStore } from './meta-store.ts';
import { openVersionSource, type VersionSource } from './version-source.ts';

const START_MS = Date.UTC(2026, 0, 1);
const HOURS_MS = 3_600_000;
const AHEAD_MS = 400;

function world() {
  const clock = new SimClock(START_MS);
  const disk = new MemoryDisk({ capacityBytes: 1 << 20 }, { clock, random: createSimRandom(1) });
  /** The next life of the node, on what its disk holds. */
  const open = async (): Promise<VersionSource> => {
    disk.crash();
    const meta = createMetaStore(new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk }));
    return await openVersionSource({ member: 1, aheadMs: AHEAD_MS }, { clock, meta });
  };
  return { clock, open };
}

async function stampOf(versions: VersionSource) {
  for (;;) {
    const version = versions.next();
    if (version !== undefined) return version;
    await versions.ready();
  }
}

// yugabyte#10628: a time far ahead that was written down cannot be taken back.
test('D3: a start with a clock hours ahead, that stamps nothing, leaves no trace once the clock is right', async () => {
  const { clock, open } = world();
  clock.setWall(START_MS + 8 * HOURS_MS);
  await open();
  clock.setWall(START_MS);
  const versions = await open();
  assert.ok(versions.last().wallMs <= START_MS + AHEAD_MS, `the last one is at ${versions.last().wallMs}`);
  assert.equal((await stampOf(versions)).wallMs, START_MS);
});

test('D4: a stamp is above all that were given and observed before, also across restarts', async () => {
  const { clock, open } = world();
  let versions = await open();
  let last = await stampOf(versions);
  for (let life = 0; life < 5; life++) {
    const observed = { wallMs: last.wallMs + 500, counter: 7, member: 2 };
    versions.observe(observed);
    const next = await stampOf(versions);
    assert.ok(compareVersions(next, observed) > 0);
    clock.setWall(START_MS - life * HOURS_MS);
    versions = await open();
    last = await stampOf(versions);
    assert.ok(compareVersions(last, next) > 0, `life ${life}`);
  }
});
