/** Rows in columns as wide as their widest cell, the first row being the heading; nothing behind the last cell. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => cell.padEnd(widths[at] as number)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
