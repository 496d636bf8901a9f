import { majority } from '../core/quorum/quorum-sizes.ts';
import { compareVersions, formatVersion, type Version } from '../core/version/version.ts';
import type { KeyReport } from '../peer/data-messages.ts';
import type { ExplainedReplica, KeyExplanation, KeySafety } from './data-admin.ts';

export type Verdict = { readonly safety: KeySafety; readonly verdict: string };
type Evidence = Pick<KeyExplanation, 'epoch' | 'replicas' | 'hints'>;

/** The newest version that a replica shows, and whether it may be collected: a tombstone, or expired by `nowMs`. */
type Newest = { readonly version: Version; readonly what: string; readonly isGarbage: boolean };

/** "Is it safe?", from what the replicas of a key say, in words that an operator can act on. */
export function explainVerdict({ epoch, replicas, hints }: Evidence, nowMs: number): Verdict {
  const total = replicas.length;
  const answered = replicas.filter(({ report }) => report !== undefined).length;
  const newest = newestOf(replicas, nowMs);
  if (newest === undefined) return nothingSeen(replicas, answered);
  const holders = replicas.filter(({ report }) => report !== undefined && holds(report, newest)).length;
  const others = replicas
    .map((replica) => shortfallOf(replica, newest, epoch))
    .filter((text) => text !== undefined);
  const waiting = hints.map(({ keeper, owner }) => `${keeper} keeps a hint for ${owner}`);
  const details = [...others, ...waiting].map((text) => `; ${text}`).join('');
  const held = `${holders} of ${total} replicas hold ${newest.what}`;
  if (holders === total) return { safety: 'safe', verdict: `${held}; safe` };
  if (holders >= majority(total)) return { safety: 'degraded', verdict: `${held}, a quorum: safe${details}` };
  return { safety: 'at-risk', verdict: `only ${held}${details}. ${riskAdvice(total - answered)}` };
}

function nothingSeen(replicas: readonly ExplainedReplica[], answered: number): Verdict {
  const total = replicas.length;
  const silent = replicas.flatMap(({ name, report, error }) =>
    report === undefined ? [`; ${name} does not answer${error === undefined ? '' : ` (${error})`}`] : [],
  );
  const corrupt = replicas.flatMap(({ name, report }) =>
    report?.isCorrupt === true ? [`; the record of ${name} fails its checksum`] : [],
  );
  const details = [...corrupt, ...silent].join('');
  if (corrupt.length > 0)
    return { safety: 'at-risk', verdict: `no replica that answers holds a sound record${details}` };
  if (answered >= majority(total)) {
    const verdict = `${answered} of ${total} replicas say that there is nothing: never written, or deleted everywhere`;
    return { safety: 'absent', verdict: verdict + details };
  }
  return {
    safety: 'unknown',
    verdict: `${answered} of ${total} replicas answer, fewer than a quorum: nothing can be told${details}`,
  };
}

function newestOf(replicas: readonly ExplainedReplica[], nowMs: number): Newest | undefined {
  let newest: (KeyReport & { readonly version: Version }) | undefined;
  for (const { report } of replicas) {
    if (report === undefined || report.isCorrupt || report.version === undefined) continue;
    const isNewer = newest === undefined || compareVersions(report.version, newest.version) > 0;
    if (isNewer) newest = { ...report, version: report.version };
  }
  if (newest === undefined) return undefined;
  const { version, isTombstone, expiresAtMs } = newest;
  const isExpired = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  const text = `version ${formatVersion(version)}`;
  const what = isTombstone ? `the delete, ${text}` : isExpired ? `${text}, which has expired` : text;
  return { version, what, isGarbage: isTombstone || isExpired };
}

/** A replica that collected what may be collected, below its watermark, lacks nothing: all were proven to hold it. */
function holds({ version, isCorrupt, watermark }: KeyReport, newest: Newest): boolean {
  if (isCorrupt) return false;
  if (version !== undefined) return compareVersions(version, newest.version) >= 0;
  return newest.isGarbage && compareVersions(watermark, newest.version) >= 0;
}

/** What is wrong with a replica that does not hold the newest version. */
function shortfallOf(
  { name, report, error }: ExplainedReplica,
  newest: Newest,
  epoch: number,
): string | undefined {
  if (report === undefined) return `${name} does not answer${error === undefined ? '' : ` (${error})`}`;
  if (holds(report, newest)) return undefined;
  if (report.isCorrupt) return `the record of ${name} fails its checksum and is healed from the others`;
  if (!newest.isGarbage && compareVersions(report.watermark, newest.version) >= 0)
    return `${name} lacks it though its watermark is past it: report this, it is a defect`;
  const late = report.epoch < epoch ? `, and knows epoch ${report.epoch} of the partition only` : '';
  if (report.version === undefined) return `${name} is behind: it holds nothing${late}`;
  return `${name} is behind: it holds version ${formatVersion(report.version)}${late}`;
}

function riskAdvice(silent: number): string {
  if (silent > 0) return 'Bring the replicas that do not answer back; until then this copy must not be lost.';
  return 'A write is under way, or missed its quorum; the next read at quorum, or repair, spreads or settles it.';
}
