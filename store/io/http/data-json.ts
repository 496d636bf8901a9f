import { formatVersion } from '../../core/version/version.ts';
import type { KeyReport } from '../../peer/data-messages.ts';
import type { DataStatus, KeyExplanation, LocalEntry } from '../../replication/data-admin.ts';
import type { ScanRange } from '../../storage/kv-store.ts';
import { entryJson } from './entry-json.ts';
import { iso } from './key-handlers.ts';

// What is told of replicated data, with versions and times as text.

export function explanationJson({ replicas, hints, ...rest }: KeyExplanation): object {
  return {
    ...rest,
    replicas: replicas.map(({ report, ...replica }) => ({
      ...replica,
      report: report === undefined ? undefined : reportJson(report),
    })),
    hints: hints.map(({ version, ...hint }) => ({ ...hint, version: formatVersion(version) })),
  };
}

function reportJson(report: KeyReport): object {
  const { epoch, version, isTombstone, expiresAtMs, bytes, isCorrupt, floor, watermark } = report;
  return {
    epoch,
    version: version === undefined ? undefined : formatVersion(version),
    isTombstone,
    expiresAt: timeOf(expiresAtMs),
    bytes,
    isCorrupt,
    floor: formatVersion(floor),
    watermark: formatVersion(watermark),
    lastExchange: report.lastExchange.map(({ member, atMs }) => ({ member, at: iso(atMs) })),
    treeState: report.treeState,
  };
}

export function statusJson({ replica, hints, exchange, trees }: DataStatus): object {
  const { lastRoundMs, ...counts } = exchange;
  const owners = hints.owners.map(({ oldestMs, ...owner }) => ({ ...owner, oldestAt: iso(oldestMs) }));
  return {
    replica,
    hints: { bytes: hints.bytes, count: hints.count, owners },
    exchange: { lastRoundAt: timeOf(lastRoundMs), ...counts },
    trees,
  };
}

/** A page's entry as text: what a scan tells, and what only a replica knows. */
export function localEntryJson(entry: LocalEntry, range: ScanRange): string {
  const { partition, isTombstone, isExpired } = entry;
  const flags = JSON.stringify({ partition, isTombstone, isExpired });
  const record = entryJson(entry, isTombstone ? { ...range, keysOnly: true } : range);
  return `${record.slice(0, -1)},${flags.slice(1)}`;
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : iso(ms);
}
