import { readFileSync, writeFileSync } from 'node:fs';

const DOC = 'docs/benchmarks.md';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

/** Puts the figures of a benchmark between its two marks in docs/benchmarks.md. */
export function writeDocPart(bench: string, figures: string): void {
  const [begin, end] = [
    `<!-- figures of bench ${bench}: written by --doc -->`,
    `<!-- end of the figures of bench ${bench} -->`,
  ];
  const text = readFileSync(DOC, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${DOC} has no lines "${begin}" and "${end}" after it`);
  writeFileSync(DOC, `${text.slice(0, from)}${begin}\n\n${figures}\n\n${text.slice(to)}`);
}
