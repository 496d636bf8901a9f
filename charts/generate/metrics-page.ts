/** Names of metrics, against docs/metrics.md: a query of one that does not exist is never wrong, and never says anything. */

/** The names in the table of the page, and those of the series of a histogram. */
export function metricNames(page: string): ReadonlySet<string> {
  const rows = [...page.matchAll(/^\| `(kvorum_[a-z0-9_]+)` \| (\w+) \|/gm)];
  const names = rows.flatMap(([, name = '', type]) =>
    type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(names);
}

export function unknownMetrics(expression: string, known: ReadonlySet<string>): readonly string[] {
  const used = expression.match(/\bkvorum_[a-z0-9_]+/g) ?? [];
  return [...new Set(used)].filter((name) => !known.has(name));
}
