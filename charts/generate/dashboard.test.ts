import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { dashboard, dashboardQueries } from './dashboard.ts';
import { metricNames, unknownMetrics } from './metrics-page.ts';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

test('the dashboard asks for metrics that there are', () => {
  const known = metricNames(page);
  for (const { title, expr } of dashboardQueries()) assert.deepEqual(unknownMetrics(expr, known), [], title);
});

type Panel = {
  readonly id: number;
  readonly title: string;
  readonly gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
};

test('no panel covers another one, and none is wider than the page', () => {
  const { panels } = JSON.parse(dashboard()) as { panels: readonly Panel[] };
  const seen = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(seen.get(`${x},${y}`), undefined, title);
        seen.set(`${x},${y}`, title);
      }
    }
  }
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
});
