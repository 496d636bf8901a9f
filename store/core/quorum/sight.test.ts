import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Version } from '../version/version.ts';
import { laterSight, type Sight } from './sight.ts';

const at = (wallMs: number): Version => ({ wallMs, counter: 0, member: 1 });
const sees = (ms: number, watermarkMs: number, isFull = false): Sight<string> => ({
  version: ms === 0 ? undefined : at(ms),
  watermark: at(watermarkMs),
  isFull,
  data: isFull && ms > 0 ? `v${ms}` : undefined,
});

test('laterSight: of two sights of one replica the later stays, in whatever order they arrive', () => {
  const pairs = [
    [sees(5, 0, true), sees(7, 0)],
    [sees(0, 0), sees(5, 0)],
    [sees(5, 0), sees(0, 5)],
    [sees(5, 0, true), sees(0, 9)],
    [sees(0, 4), sees(5, 4)],
    [sees(0, 0), sees(0, 3)],
    [sees(5, 0), sees(5, 0, true)],
  ] as const;
  for (const [earlier, later] of pairs) {
    assert.equal(laterSight(earlier, later), later);
    assert.equal(laterSight(later, earlier), later);
  }
});
