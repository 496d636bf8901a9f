import type { Operation, OperationList, StopVerdict } from '@kvorum/client';
import { bar } from '../lib/progress.ts';
import { formatTable } from '../lib/table.ts';

// What the commands about operations print for people.

export function formatOperations({ operations }: OperationList): string {
  if (operations.length === 0) return 'nothing is under way: all data is where it should be\n';
  const heading = ['OPERATION', 'LEFT', 'MOVING', 'JOINT', 'TRANSFER', 'SWITCH', 'BLOCKED BY'];
  return formatTable([heading, ...operations.map(rowOf)]);
}

function rowOf(operation: Operation): string[] {
  const { id, partitionsLeft, partitionsMoving, stages } = operation;
  const { joint, transfer, switch: switching } = stages;
  const counts = [partitionsLeft, partitionsMoving, joint, transfer, switching].map(String);
  return [id, ...counts, isDone(operation) ? '- (done)' : (operation.blockedBy ?? '-')];
}

/** A drain stays among the operations until the member is removed. */
export function isDone({ type, partitionsLeft }: Operation): boolean {
  return type === 'drain' && partitionsLeft === 0;
}

export function formatVerdict({ canStop, reasons }: StopVerdict): string {
  if (canStop) return 'yes: every quorum is kept without it\n';
  return `no\n${reasons.map((reason) => `  ${reason}\n`).join('')}`;
}

/** `34 of 96 partitions left, 8 moving  blocked by 3 partitions: ...`, with a bar in front on a terminal. */
export function operationLine(
  { partitionsLeft, partitionsMoving, blockedBy }: Operation,
  most: number,
  { withBar }: { readonly withBar: boolean },
): string {
  const line = `${partitionsLeft} of ${most} partitions left, ${partitionsMoving} moving`;
  const wait = blockedBy === undefined ? '' : `  blocked by ${blockedBy}`;
  return `${withBar ? `${bar(most === 0 ? 1 : 1 - partitionsLeft / most)} ` : ''}${line}${wait}`;
}
