import type { PhaseFigures } from './load/phase-figures.ts';
import type { LoadReport } from './load.ts';
import type { ScenarioResult } from './scenario.ts';

const PHASE_HEAD = [
  ...['scenario', 'phase', 's', 'operations', 'errors', 'retries', 'dropped'],
  ...['reads p50', 'p99', 'writes p50', 'p99 ms'],
];
const SCENARIO_HEAD = [
  ...['scenario', 'result', 's', 'puts acknowledged', 'outcome unknown', 'keys read back as acknowledged'],
];

/** Two tables: the scenarios, and the phases of those with a load. */
export function resultTable(results: readonly ScenarioResult[]): string {
  const scenarios = results.map(scenarioRow);
  const phases = results.flatMap(({ name, loads }) => {
    return loads.flatMap((load) => load.phases.map((phase) => phaseRow(name, phase)));
  });
  const tables = [table(SCENARIO_HEAD, scenarios), ...(phases.length > 0 ? [table(PHASE_HEAD, phases)] : [])];
  return tables.join('\n');
}

function scenarioRow({ name, passed, seconds, loads }: ScenarioResult): readonly string[] {
  const sum = (of: (load: LoadReport) => number): number =>
    loads.reduce((total, load) => total + of(load), 0);
  const row = [name, passed ? 'passed' : 'FAILED', seconds.toFixed(0)];
  if (loads.length === 0) return [...row, '-', '-', '-'];
  const read = `${sum((load) => load.keysAsAcknowledged)} of ${sum((load) => load.keys)}`;
  return [...row, String(sum((load) => load.acknowledged)), String(sum((load) => load.unknown)), read];
}

function phaseRow(scenario: string, phase: PhaseFigures): readonly string[] {
  const { name, seconds, operations, errors, retries, codes, dropped, reads, writes } = phase;
  const why = Object.entries(codes).map(([code, count]) => `${count} ${code}`);
  return [
    ...[scenario, name, seconds.toFixed(0), String(operations), String(errors)],
    why.length === 0 ? String(retries) : `${retries} (${why.join(', ')})`,
    String(dropped),
    ...[reads.p50, reads.p99, writes.p50, writes.p99].map((ms) => ms.toFixed(1)),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}
