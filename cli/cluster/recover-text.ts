import type { UncertainChange } from '../../store/cluster/readable-topology.ts';
import type { RecoveryReport } from '../../store/cluster/recover-directory.ts';

// What `kvorum cluster recover` prints for people.

const CHANGES_SHOWN_MAX = 20;
const NAME_WIDTH = 12;

export function formatReport(report: RecoveryReport): string {
  const { clusterId, epoch, member, voters } = report;
  const rows: (readonly [string, string])[] = [
    ['cluster', `${clusterId}, epoch ${epoch}`],
    ['this node', `${member.name}, member ${member.number}`],
    ['voters', voters.join(', ')],
    ...logRows(report),
    ...uncertainRows(report.uncertain),
    ...lossRows(report),
  ];
  return rows.map(([name, text]) => `${name.padEnd(NAME_WIDTH)}${text}\n`).join('');
}

function logRows({ log }: RecoveryReport): [string, string][] {
  const { snapshot, readableTo, last, term, committed, damage } = log;
  const rows: [string, string][] = [
    ['log', `a snapshot at ${snapshot}, entries up to ${last}, term ${term}`],
    ['committed', `up to ${committed}, as far as this node knows`],
  ];
  if (damage !== undefined)
    rows.push([
      'damaged',
      `${damage}; readable up to ${readableTo}${readableTo < last ? `, lost from there to ${last}` : ''}`,
    ]);
  return rows;
}

function uncertainRows(changes: readonly UncertainChange[]): [string, string][] {
  if (changes.length === 0) return [['uncertain', 'nothing: no change in this log is without a commit']];
  const shown = changes.slice(0, CHANGES_SHOWN_MAX).map((change): [string, string] => ['', textOf(change)]);
  if (changes.length > shown.length) shown.push(['', `and ${changes.length - shown.length} more`]);
  const count = `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`;
  return [
    ['uncertain', `${count} that may or may not have been acknowledged, and will hold from now on:`],
    ...shown,
  ];
}

function textOf({ index, command, hasEffect }: UncertainChange): string {
  const subject = 'name' in command ? ` ${command.name}` : 'member' in command ? ` ${command.member}` : '';
  return `  entry ${index}: ${command.type}${subject}${hasEffect ? '' : ' (without effect)'}`;
}

function lossRows({ lost, partitions }: RecoveryReport): [string, string][] {
  const members = lost.members.map(({ name, number }) => `${name} (${number})`);
  const rows: [string, string][] = [
    ['changes', `those of the topology after epoch ${lost.changesAfter}, if there were any, are lost`],
    ['members', members.length === 0 ? 'none is dropped' : `dropped: ${members.join(', ')}`],
  ];
  if (partitions === 0) return [...rows, ['data', 'none: partitions were not placed yet']];
  const of = (numbers: readonly number[]): string => `${numbers.length} of ${partitions} partitions`;
  rows.push([
    'data lost',
    lost.partitions.length === 0
      ? 'none: every partition has a copy here'
      : `${of(lost.partitions)} have no copy here and go on empty: ${formatRanges(lost.partitions)}`,
  ]);
  if (lost.partitionsBehind.length > 0)
    rows.push([
      'data behind',
      `${of(lost.partitionsBehind)} may miss writes that others acknowledged: ${formatRanges(lost.partitionsBehind)}`,
    ]);
  return rows;
}

/** `0-3, 7` of ascending numbers. */
export function formatRanges(numbers: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const open = ranges.at(-1);
    if (open !== undefined && open.last === number - 1) open.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

export function formatNextStep(report: RecoveryReport, dataDir: string): string {
  const alone = report.decidesAlone
    ? 'This log is whole and its only voter is this node: starting it is enough, and nothing needs to be recovered.\n'
    : '';
  return `
Recovery takes the snapshot and every entry of the log that can be read, committed or not, and makes this node the
only member of a new cluster. ${HOW_OTHERS_COME_BACK}
${alone}Nothing was changed. Only if a majority of the voters is gone for good:

  kvorum cluster recover --data-dir ${dataDir} --confirm ${report.clusterId}
`;
}

export function formatDone(clusterId: string, { member }: RecoveryReport): string {
  return `
Done: this directory is now of the new cluster ${clusterId}, with ${member.name} as its only member. Start it as
before (with another cluster.id, where that is set). ${HOW_OTHERS_COME_BACK}
`;
}

const HOW_OTHERS_COME_BACK = `The directories of the dropped members are of the old cluster,
and are refused by its id: empty each of them, and start it with cluster.seeds and without cluster.bootstrap to join.`;
