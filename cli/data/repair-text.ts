import type { RepairStatus, VerifyProgress, VerifyReport } from '@kvorum/client';
import { bar, formatBytes, formatCount } from '../lib/progress.ts';
import { formatTable } from '../lib/table.ts';
import { formatAgo } from '../lib/time-text.ts';

// What is printed of hints, exchanges and verifications.

/** `256 of 256 partitions equal, compared 2 s ago; no hints`, and what is not as it should be. */
export function repairText({ replica, hints, exchange, trees }: RepairStatus, nowMs: number): string {
  const { lastRoundAt, partitions, partitionsEqual } = exchange;
  const when =
    lastRoundAt === undefined ? 'never compared' : `compared ${formatAgo(Date.parse(lastRoundAt), nowMs)}`;
  const parts = [`${partitionsEqual} of ${partitions} partitions equal, ${when}`];
  const owners = hints.owners.length;
  const of = `${formatCount(hints.count)} hints (${formatBytes(hints.bytes)}) for ${owners} ${owners === 1 ? 'member' : 'members'}`;
  parts.push(hints.count === 0 ? 'no hints' : of);
  if (trees.building > 0) parts.push(`${trees.building} trees are being built`);
  if (replica.state === 'out') parts.unshift(`OUT: ${replica.reason ?? 'it takes no part'}`);
  return parts.join('; ');
}

/** `[######..] 120 of 256 partitions compared`. */
export function verifyLine({ done, total }: VerifyProgress, withBar: boolean): string {
  const text = `${formatCount(done)} of ${formatCount(total)} partitions compared`;
  return withBar ? `${bar(total === 0 ? 0 : done / total)} ${text}` : text;
}

export function formatVerified(report: VerifyReport): string {
  const { partitions, equal, keysRepaired, bytesSent, problems, members } = report;
  const heading = ['NAME', 'MEMBER', 'PARTITIONS', 'EQUAL', ''];
  const rows = members.map(({ name, member, partitions: owned, equal: same, error }) => [
    ...[name, String(member), String(owned), String(same), error ?? ''],
  ]);
  const repaired =
    keysRepaired === 0
      ? 'nothing had to be repaired'
      : `${formatCount(keysRepaired)} keys were repaired, ${formatBytes(bytesSent)} sent`;
  const answer =
    equal === partitions
      ? `all replicas are equal: ${formatCount(equal)} of ${formatCount(partitions)} partitions`
      : `NOT PROVEN EQUAL: ${formatCount(partitions - equal)} of ${formatCount(partitions)} partitions`;
  const list = problems.map((problem) => `  ${problem}\n`).join('');
  return `${answer}; ${repaired}\n${list}\n${formatTable([heading, ...rows])}`;
}
