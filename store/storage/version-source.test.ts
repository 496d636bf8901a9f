import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';
import { compareVersions, type Version } from '../core/version/version.ts';
import { SimClock } from '../sim/sim-clock.ts';
import type { MetaStore } from './meta-store.ts';
import { AHEAD_MS_MAX, openVersionSource, type VersionSource } from './version-source.ts';

const AHEAD_MS = 400;
const START_MS = 1_000_000;

/** A disk that takes `tookMs` for each fact. */
class SlowDisk {
  readonly clock = new SimClock(START_MS);
  readonly #facts = new Map<string, object>();
  tookMs: number;

  constructor(tookMs: number) {
    this.tookMs = tookMs;
  }

  async open(): Promise<VersionSource> {
    const meta: Pick<MetaStore, 'read' | 'write'> = {
      read: async (name) => this.#facts.get(name),
      write: (name, fact) =>
        new Promise((resolve) =>
          this.clock.setTimer(this.tookMs, () => {
            this.#facts.set(name, fact);
            resolve();
          }),
        ),
    };
    const opening = openVersionSource(
      { member: 1, aheadMs: AHEAD_MS },
      { clock: this.clock, meta: meta as MetaStore },
    );
    let isOpen = false;
    void opening.then(() => {
      isOpen = true;
    });
    for (await settle(); !isOpen; await settle()) this.clock.advance(1);
    return await opening;
  }

  /** Stamps each millisecond; the stamps, and in how many of these there was none. */
  async stampFor(
    versions: VersionSource,
    durationMs: number,
  ): Promise<{ stamps: Version[]; without: number }> {
    const stamps: Version[] = [];
    let without = 0;
    for (let i = 0; i < durationMs; i++) {
      const version = versions.next();
      if (version === undefined) {
        without++;
        void versions.ready();
      } else stamps.push(version);
      this.clock.advance(1);
      await settle();
    }
    return { stamps, without };
  }
}

for (const tookMs of [1, 150, 250, 400]) {
  test(`a writer never waits for the bound on a disk that takes ${tookMs} ms`, async () => {
    const disk = new SlowDisk(tookMs);
    const versions = await disk.open();
    // The first bound was set before it was known how slow the disk is.
    await disk.stampFor(versions, 2000);
    const { stamps, without } = await disk.stampFor(versions, 5000);
    assert.equal(without, 0);
    for (const [i, stamp] of stamps.entries())
      if (i > 0) assert.ok(compareVersions(stamp, stamps[i - 1] as Version) > 0);
    const last = stamps.at(-1) as Version;
    assert.ok(disk.clock.nowMs() - last.wallMs <= 1, 'stamps keep to the clock');
  });
}

test('a disk that becomes slow costs a wait or two, and the bound comes near again after it', async () => {
  const disk = new SlowDisk(1);
  const versions = await disk.open();
  disk.tookMs = 350;
  const slow = await disk.stampFor(versions, 5000);
  assert.ok(slow.without > 0 && slow.without <= 2 * 350, `it waited ${slow.without} ms`);
  disk.tookMs = 1;
  await disk.stampFor(versions, 5000);
  const beganMs = disk.clock.nowMs();
  await disk.open();
  assert.ok(disk.clock.nowMs() - beganMs <= 2, 'a restart does not wait');
});

test('D4: a restart on a slow disk stamps above all of before, and not far ahead of its clock', async () => {
  const disk = new SlowDisk(400);
  const { stamps } = await disk.stampFor(await disk.open(), 3000);
  const versions = await disk.open();
  const startedMs = disk.clock.nowMs();
  const [next] = (await disk.stampFor(versions, 2 * disk.tookMs)).stamps as [Version];
  assert.ok(compareVersions(next, stamps.at(-1) as Version) > 0);
  assert.ok(next.wallMs - startedMs <= AHEAD_MS + disk.tookMs, `it is ${next.wallMs - startedMs} ms ahead`);
});

// riak_kv#1027, #1865: new writes of a life that began in the same second looked old, and were repaired away.
test('D15: a life that begins in the very millisecond in which the one before ended stamps above it', async () => {
  const disk = new SlowDisk(0);
  const { stamps } = await disk.stampFor(await disk.open(), 100);
  const last = stamps.at(-1) as Version;
  disk.clock.setWall(last.wallMs);
  const [next] = (await disk.stampFor(await disk.open(), 2)).stamps as [Version];
  assert.ok(compareVersions(next, last) > 0);
});

test('D4: a clock that was set back is not waited for longer than a bound may be ahead', async () => {
  const disk = new SlowDisk(400);
  const { stamps } = await disk.stampFor(await disk.open(), 3000);
  disk.clock.setWall(START_MS - 3_600_000);
  const beganMs = disk.clock.monotonicMs();
  const versions = await disk.open();
  assert.ok(disk.clock.monotonicMs() - beganMs <= AHEAD_MS_MAX + disk.tookMs + 1);
  const [next] = (await disk.stampFor(versions, 2 * disk.tookMs)).stamps as [Version];
  assert.ok(compareVersions(next, stamps.at(-1) as Version) > 0);
});
