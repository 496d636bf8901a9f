import type { Operation, OperationList, StopVerdict } from '@kvorum/client';
import { bar, formatBytes, formatDuration } from '../lib/progress.ts';
import { formatTable } from '../lib/table.ts';
import { formatAgo } from '../lib/time-text.ts';

// What the commands about operations print for people.

const HEADING = [
  ...['OPERATION', 'OF', 'STATE', 'SINCE', 'BY', 'LEFT', 'MOVING'],
  ...['JOINT', 'TRANSFER', 'SWITCH', 'BLOCKED BY'],
];

export function formatOperations({ operations }: OperationList, nowMs: number): string {
  if (operations.length === 0) return 'nothing is under way: all data is where it should be\n';
  return formatTable([HEADING, ...operations.map((operation) => rowOf(operation, nowMs))]);
}

function rowOf(operation: Operation, nowMs: number): string[] {
  const { id, state, by, partitions, partitionsLeft, partitionsMoving, stages } = operation;
  const { joint, transfer, switch: switching } = stages;
  const since = formatAgo(Date.parse(operation.endedAt ?? operation.at), nowMs);
  const left = `${partitionsLeft} of ${Math.max(partitions, partitionsLeft)}`;
  const counts = [partitionsMoving, joint, transfer, switching].map(String);
  return [id, subjectOf(operation), state, since, by, left, ...counts, operation.blockedBy ?? '-'];
}

function subjectOf({ member, replicationFactor }: Operation): string {
  return member ?? (replicationFactor === undefined ? '-' : `${replicationFactor} replicas`);
}

/** What it comes to, of one that is done. */
export function endedText({ type, member, replicationFactor }: Operation): string {
  switch (type) {
    case 'drain':
      return `${member} holds no data any more and was removed`;
    case 'replace':
      return `what ${member} held is on other members, and it was removed`;
    case 'rebalance':
      return 'all data is where it should be';
    case 'factor':
      return `each partition has ${replicationFactor} replicas`;
  }
}

/** Whatever may be done about it next. */
export function startedText(id: string): string {
  return `${id} runs; kvorum operations watch ${id} shows how far it is, kvorum operations cancel ${id} ends it`;
}

export function formatVerdict({ canStop, reasons, until }: StopVerdict): string {
  if (canStop)
    return `yes${until === undefined ? '' : `, until ${until}`}: every quorum is kept without it\n`;
  return `no\n${reasons.map((reason) => `  ${reason}\n`).join('')}`;
}

/** `34 of 96 partitions left, 8 moving  12.1 MB/s  ETA 0:42  blocked by 3 partitions: ...`, with a bar in front on a terminal. */
export function operationLine(
  operation: Operation,
  most: number,
  { withBar }: { readonly withBar: boolean },
): string {
  const { partitionsLeft, partitionsMoving, blockedBy, bytesPerSecond, etaSeconds } = operation;
  const parts = [`${partitionsLeft} of ${most} partitions left, ${partitionsMoving} moving`];
  if (bytesPerSecond !== undefined) parts.push(`${formatBytes(bytesPerSecond)}/s`);
  if (etaSeconds !== undefined) parts.push(`ETA ${formatDuration(etaSeconds)}`);
  if (blockedBy !== undefined) parts.push(`blocked by ${blockedBy}`);
  const line = parts.join('  ');
  return withBar ? `${bar(most === 0 ? 1 : 1 - partitionsLeft / most)} ${line}` : line;
}
