import type { PhaseFigures } from './phase-stats.ts';

export type Phase = {
  readonly name: string;
  readonly figures: PhaseFigures;
  /** What the phases in which data moves are compared with. */
  readonly isBefore: boolean;
  readonly isMoving: boolean;
};

/** Of all requests of an open load. */
const FAILED_SHARE_MAX = 0.001;
const P99_RATIO_GOAL = 3;
/** What a client that repeats a request may be told; `CONNECTION`: it broke, since the node was killed. */
const RETRIABLE = new Set([
  ...['CONNECTION', 'QUORUM_NOT_MET', 'DEADLINE_EXCEEDED', 'OVERLOADED', 'SHUTTING_DOWN'],
  ...['CLUSTER_WAITING', 'CLUSTER_FORMING', 'REPLICA_OUT'],
]);
const HEAD = [
  'phase',
  's',
  'requests/s',
  'failed',
  'reads p50',
  'p99',
  'writes p50',
  'p99 ms',
  'p99 / before',
  'waiting',
];

/** A row for each phase, for people and for docs/benchmarks.md. */
export function phaseTable(phases: readonly Phase[]): string {
  const before = phases.find(({ isBefore }) => isBefore)?.figures;
  const rows = phases.map(({ name, figures, isMoving }) => {
    const { seconds, answered, failures, reads, writes, waitingMost } = figures;
    return [
      name,
      seconds.toFixed(0),
      (answered / seconds).toFixed(0),
      failuresText(failures),
      ...[reads.p50, reads.p99, writes.p50, writes.p99].map((ms) => ms.toFixed(1)),
      before === undefined || !isMoving ? '-' : ratioText(figures, before),
      String(waitingMost),
    ];
  });
  return [HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

/** What breaks the promise, in words. */
export function problemsOf(phases: readonly Phase[]): readonly string[] {
  const failures = phases.flatMap(({ figures }) => Object.entries(figures.failures));
  const failed = failures.reduce((sum, [, count]) => sum + count, 0);
  const all = failed + phases.reduce((sum, { figures }) => sum + figures.answered, 0);
  const wrong = failures.filter(([code]) => !RETRIABLE.has(code));
  return [
    ...wrong.map(
      ([code, count]) =>
        `${count} requests failed with ${code}, which is none of ${[...RETRIABLE].join(', ')}`,
    ),
    ...(failed > all * FAILED_SHARE_MAX
      ? [
          `${failed} of ${all} requests failed, more than ${FAILED_SHARE_MAX * 100} %: ${JSON.stringify(failures)}`,
        ]
      : []),
  ];
}

function ratioText({ reads, writes }: PhaseFigures, before: PhaseFigures): string {
  const ratios = [reads.p99 / before.reads.p99, writes.p99 / before.writes.p99];
  const missed = ratios.some((ratio) => ratio >= P99_RATIO_GOAL) ? ` (goal: < ${P99_RATIO_GOAL})` : '';
  return `${ratios.map((ratio) => ratio.toFixed(1)).join(', ')}${missed}`;
}

function failuresText(failures: Readonly<Record<string, number>>): string {
  return (
    Object.entries(failures)
      .map(([code, count]) => `${count} ${code}`)
      .join(', ') || '0'
  );
}
