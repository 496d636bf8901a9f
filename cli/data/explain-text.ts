import type { ExplainedReplica, KeyExplanation, KeyReport } from '@kvorum/client';
import { formatTable } from '../lib/table.ts';
import { formatAgo, versionMs } from '../lib/time-text.ts';

const NAME_WIDTH = 12;

/** Whether a key is safe, in words, then where it is, then what each replica holds: one screen. */
export function formatExplanation(
  key: string,
  explanation: KeyExplanation,
  nowMs: number,
  paint: (text: string) => string,
): string {
  const { namespace, safety, verdict, slot, partition, epoch, replicas, hints } = explanation;
  // The label says it already.
  const [first = '', ...more] = verdict.split('; ').filter((part) => part !== safety);
  const label = paint(safety) + ' '.repeat(Math.max(1, NAME_WIDTH - safety.length));
  const lines = [
    label + first,
    ...more.map((text) => ' '.repeat(NAME_WIDTH) + text),
    `${'key'.padEnd(NAME_WIDTH)}${key} in namespace ${namespace}`,
    `${'where'.padEnd(NAME_WIDTH)}slot ${slot}, partition ${partition} of epoch ${epoch}`,
    `${'hints'.padEnd(NAME_WIDTH)}${hintsText(hints)}`,
  ];
  const heading = [
    'REPLICA',
    'UP',
    'ANSWERS',
    'HOLDS',
    'BYTES',
    'EXPIRES',
    'SETTLED UP TO',
    'COMPARED',
    'TREE',
  ];
  const rows = replicas.map((replica) => replicaRow(replica, nowMs));
  return `${lines.join('\n')}\n\n${formatTable([heading, ...rows])}`;
}

function hintsText(hints: KeyExplanation['hints']): string {
  if (hints.length === 0) return 'none';
  return hints.map(({ keeper, owner, version }) => `${keeper} for ${owner} (${version})`).join(', ');
}

function replicaRow({ name, isUp, isReachable, report, error }: ExplainedReplica, nowMs: number): string[] {
  const known = [name, isUp ? 'yes' : 'no', isReachable ? 'yes' : `no: ${error ?? 'silent'}`];
  if (report === undefined) return [...known, '?'];
  const { bytes, expiresAt, watermark, lastExchange, treeState } = report;
  const exchanges = lastExchange.map(({ at }) => Date.parse(at));
  const settledMs = versionMs(watermark);
  return [
    ...[...known, holdsText(report), report.version === undefined ? '-' : String(bytes), expiresAt ?? '-'],
    settledMs === 0 ? 'nothing yet' : formatAgo(settledMs, nowMs),
    exchanges.length === 0 ? 'never' : formatAgo(Math.max(...exchanges), nowMs),
    treeState,
  ];
}

function holdsText({ version, isTombstone, isCorrupt }: KeyReport): string {
  if (isCorrupt) return 'DAMAGED';
  if (version === undefined) return 'nothing';
  return isTombstone ? `delete ${version}` : version;
}
