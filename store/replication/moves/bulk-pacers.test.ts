import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from '../../sim/sim-clock.ts';
import { BulkPacers } from './bulk-pacers.ts';

const MIB = 2 ** 20;
const OPTIONS = { targetMs: 50, bytesPerSecondMin: MIB, bytesPerSecondMax: 64 * MIB };

function pacers(here: { p99Ms: number | undefined }) {
  const clock = new SimClock(1_000_000);
  const all = new BulkPacers(OPTIONS, { clock, p99Ms: () => here.p99Ms });
  /** A page in every tenth of a second, each saying how loaded its source is. */
  const pages = (source: number, seconds: number, p99Ms: number | undefined): void => {
    for (let i = 0; i < seconds * 10; i++) {
      clock.advance(100);
      all.onLoad(source, p99Ms);
    }
  };
  return { all, pages };
}

test('a loaded source is asked for less, another one is not', () => {
  const { all, pages } = pacers({ p99Ms: 5 });
  pages(1, 10, 400);
  assert.equal(all.rateOf(1), MIB);
  assert.equal(all.rateOf(2), 64 * MIB);
  pages(1, 11, 5);
  assert.equal(all.rateOf(1), 64 * MIB);
});

test('slow requests at the receiving member slow all sources, to a floor that they share', () => {
  const { all, pages } = pacers({ p99Ms: 400 });
  pages(1, 10, undefined);
  assert.equal(all.rateOf(1), MIB);
  pages(2, 10, 5);
  pages(1, 2, undefined);
  assert.deepEqual([all.rateOf(1), all.rateOf(2)], [MIB / 2, MIB / 2]);
});

test('one slow moment costs one step, however many pages come in it', () => {
  const { all, pages } = pacers({ p99Ms: undefined });
  pages(1, 1, 5);
  pages(1, 0.5, 400);
  assert.equal(Math.round(all.rateOf(1) / MIB), Math.round(64 * 0.6));
});

test('the stages of a partition count where somebody asks something, here or at the source, and never more than a second', () => {
  const here: { p99Ms: number | undefined } = { p99Ms: undefined };
  const { all, pages } = pacers(here);
  pages(1, 1, undefined);
  assert.equal(all.stagesBytesOf(1), 0);
  pages(2, 1, 5);
  assert.deepEqual([all.stagesBytesOf(1), all.stagesBytesOf(2)], [0, MIB]);
  here.p99Ms = 5;
  assert.equal(all.stagesBytesOf(1), MIB);
  pages(2, 10, 400);
  assert.equal(all.stagesBytesOf(2), all.rateOf(2));
});
