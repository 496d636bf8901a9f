import type { MemberId } from '../../core/raft/types.ts';
import type { VerifyReport } from '../../peer/data-messages.ts';
import type { DataPeers, Routing } from '../types.ts';
import { firstLive } from './partners.ts';
import { addReports, EMPTY_REPORT, type VerifyProgress } from './verify.ts';

export type VerifyClusterOptions = {
  /** Of one request: a round of each of its partitions. */
  readonly timeoutMs: number;
  readonly partitionsPerRequest: number;
  /** Those to verify; all where absent. */
  readonly partitions?: readonly number[];
};

export const DEFAULT_VERIFY_OPTIONS: VerifyClusterOptions = { timeoutMs: 120_000, partitionsPerRequest: 8 };

export type VerifyClusterDeps = {
  readonly routing: Routing;
  readonly peers: DataPeers;
  /** This member's own share. */
  readonly verify: (partitions: readonly number[]) => Promise<VerifyReport>;
};

/** Asks each member to verify the partitions of which it is the first live replica; a few partitions per request. */
export async function verifyCluster(
  options: VerifyClusterOptions,
  deps: VerifyClusterDeps,
  onProgress: (progress: VerifyProgress) => void = () => {},
): Promise<VerifyReport> {
  const { routing } = deps;
  const asked = options.partitions ?? Array.from({ length: routing.partitions }, (_, i) => i);
  const total = asked.length;
  const byMember = Map.groupBy(asked, (partition) => firstLive(routing, partition));
  let done = 0;
  const verifyShare = async (member: MemberId | undefined, partitions: readonly number[]) => {
    let report = EMPTY_REPORT;
    for (let from = 0; from < partitions.length; from += options.partitionsPerRequest) {
      const share = partitions.slice(from, from + options.partitionsPerRequest);
      report = addReports(report, await verifyAt(options, deps, member, share));
      done += share.length;
      onProgress({ done, total });
    }
    return report;
  };
  const reports = [...byMember].map(([member, partitions]) => verifyShare(member, partitions));
  return (await Promise.all(reports)).reduce(addReports, EMPTY_REPORT);
}

async function verifyAt(
  { timeoutMs }: VerifyClusterOptions,
  { routing, peers, verify }: VerifyClusterDeps,
  member: MemberId | undefined,
  partitions: readonly number[],
): Promise<VerifyReport> {
  if (member === undefined) return unproven(partitions, 'no member of its replica set is known to be up');
  if (member === routing.self) return await verify(partitions);
  const outcome = await peers.request({ type: 'verify', to: member, partitions }, { timeoutMs });
  const name = routing.nameOf(member);
  if (outcome.type === 'unreachable') return unproven(partitions, `${name} did not answer (${outcome.code})`);
  const { reply } = outcome;
  if (reply.type === 'verify') return reply.report;
  const said =
    reply.type === 'data-refused' ? `${reply.code}: ${reply.message}` : `answered with ${reply.type}`;
  return unproven(partitions, `${name}: ${said}`);
}

function unproven(partitions: readonly number[], why: string): VerifyReport {
  const problems = partitions.map((partition) => `partition ${partition}: ${why}`);
  return { ...EMPTY_REPORT, partitions: partitions.length, unproven: partitions, problems };
}
