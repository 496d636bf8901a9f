import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Registry } from 'prom-client';
import { createOperatorMetrics } from '../operator/metrics.ts';
import { createMetrics } from '../store/io/metrics.ts';

/** metrics.md against what the processes register: a metric that is renamed, or forgotten on the page, is noticed here. */

const page = readFileSync(new URL('metrics.md', import.meta.url), 'utf8');
const ofOperator = /^kvorum_operator_/;

type Row = { readonly name: string; readonly type: string; readonly labels: string | undefined };

const documented: readonly Row[] = Array.from(
  page.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]+) \|/gm),
  ([, name = '', type = '', labels = '']) => ({ name, type, labels: labels.replaceAll('`', '') }),
);

/** Labels are unknown of those that are counted elsewhere and only scraped: they are on no metric of prom-client. */
async function registered({ registry }: { readonly registry: Registry }): Promise<readonly Row[]> {
  return await Promise.all(
    registry.getMetricsAsArray().map(async (metric) => {
      const { name, type } = await metric.get();
      const { labelNames } = metric as unknown as { readonly labelNames?: readonly string[] };
      return { name, type: `${type}`, labels: labelNames && (labelNames.join(', ') || '-') };
    }),
  );
}

const byName = (rows: readonly Row[]): readonly Row[] => rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));

function assertSame(rows: readonly Row[], metrics: readonly Row[]): void {
  const known = new Map(metrics.map(({ name, labels }) => [name, labels]));
  const comparable = rows.map((row) => ({ ...row, labels: known.get(row.name) && row.labels }));
  assert.deepEqual(byName(comparable), byName(metrics));
}

test('metrics.md lists every metric of a node with its type and labels, and no other', async () => {
  assertSame(
    documented.filter(({ name }) => !ofOperator.test(name)),
    await registered(createMetrics()),
  );
});

test('metrics.md lists every metric of the operator with its type and labels, and no other', async () => {
  assertSame(
    documented.filter(({ name }) => ofOperator.test(name)),
    await registered(createOperatorMetrics()),
  );
});

test('metrics.md says of each metric what it means and what to do', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `kvorum_'));
  assert.equal(rows.length, documented.length);
  for (const row of rows) {
    const cells = row.split('|').map((cell) => cell.trim());
    assert.equal(cells.length, 7, row);
    assert.ok((cells[4] ?? '').length > 5 && cells[5] !== '', row);
  }
});
