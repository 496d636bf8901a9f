import type { VerifyReport } from '../../peer/data-messages.ts';
import type { RoundResult } from './run-round.ts';

export type VerifyProgress = { readonly done: number; readonly total: number };

export type VerifyDeps = {
  /** A full round of a partition, now. */
  readonly round: (partition: number) => Promise<RoundResult>;
};

/** Proves that the replicas of `partitions` are equal, by a round of each, and repairs what is not. */
export async function verifyPartitions(
  partitions: readonly number[],
  { round }: VerifyDeps,
  onProgress: (progress: VerifyProgress) => void = () => {},
): Promise<VerifyReport> {
  let done = 0;
  const results = partitions.map(async (partition) => {
    const report = reportOf(partition, await round(partition));
    done++;
    onProgress({ done, total: partitions.length });
    return report;
  });
  return (await Promise.all(results)).reduce(addReports, EMPTY_REPORT);
}

export const EMPTY_REPORT: VerifyReport = {
  partitions: 0,
  equal: 0,
  keysRepaired: 0,
  bytesSent: 0,
  unproven: [],
  problems: [],
};

export function addReports(a: VerifyReport, b: VerifyReport): VerifyReport {
  return {
    partitions: a.partitions + b.partitions,
    equal: a.equal + b.equal,
    keysRepaired: a.keysRepaired + b.keysRepaired,
    bytesSent: a.bytesSent + b.bytesSent,
    unproven: [...a.unproven, ...b.unproven],
    problems: [...a.problems, ...b.problems],
  };
}

function reportOf(partition: number, result: RoundResult): VerifyReport {
  const { outcome, reason, sealedDifferences, keysRepaired, recordBytes, comparedBytes } = result;
  const problems = outcome === 'settled' ? [] : [reason];
  if (sealedDifferences > 0)
    problems.push(`${sealedDifferences} or more live keys below the watermark are not on all replicas`);
  return {
    partitions: 1,
    equal: problems.length === 0 ? 1 : 0,
    keysRepaired,
    bytesSent: recordBytes + comparedBytes,
    unproven: problems.length === 0 ? [] : [partition],
    problems: problems.map((problem) => `partition ${partition}: ${problem}`),
  };
}
