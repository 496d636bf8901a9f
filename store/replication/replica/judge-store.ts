import { compareVersions, type Version } from '../../core/version/version.ts';
import type { ReplicaRefusalCode, StoreOrigin } from '../../peer/replica-messages.ts';
import type { Held } from './held.ts';

/** What a replica knows when it decides about a record that is newer than all it holds. */
export type StoreCase = {
  readonly origin: StoreOrigin;
  readonly offered: Held;
  /** What is held, or on its way to the disk; undefined: nothing, or a damaged record. */
  readonly newest: Held | undefined;
  readonly isDamaged: boolean;
  /** What the damaged record is known to have been. */
  readonly promised: Version | undefined;
  readonly floor: Version;
  readonly watermark: Version;
  /** This member came with a move whose reads have not switched: it began empty, with the promises of the set before. */
  readonly isFilling: boolean;
  /** Of the source as it read the record; undefined for a client's write. */
  readonly sourceWatermark: Version | undefined;
};

/** `accept-lost`: it belongs here and was missing, which must not be: report it. */
export type StoreVerdict =
  | 'accept'
  | 'accept-lost'
  | Extract<ReplicaRefusalCode, 'BELOW_FLOOR' | 'BELOW_WATERMARK' | 'RECORD_CORRUPT'>;

/** Floors and watermarks as they apply to one record: the table in docs/replication.md. */
export function judgeStore(asked: StoreCase): StoreVerdict {
  const { origin, offered, floor } = asked;
  if (asked.isDamaged && !mayOverwriteDamage(asked)) return 'RECORD_CORRUPT';
  switch (origin) {
    case 'write':
    case 'hint':
      return isAtOrBelow(offered.version, floor) ? 'BELOW_FLOOR' : 'accept';
    case 'repair':
    case 'write-back':
    case 'exchange':
      if (asked.isDamaged || !isAtOrBelow(offered.version, asked.watermark)) return 'accept';
      if (asked.isFilling) return belongsHere(asked) ? 'accept' : 'BELOW_WATERMARK';
      return belongsBelowWatermark(asked) ? 'accept-lost' : 'BELOW_WATERMARK';
  }
}

/**
 * What comes from a quorum of others is at least as new as all that was acknowledged. A hint or an exchange is what one
 * member has, and could take back what this replica said it holds.
 */
function mayOverwriteDamage({ origin, offered, promised }: StoreCase): boolean {
  const isOlder = promised !== undefined && compareVersions(offered.version, promised) < 0;
  return !isOlder && (origin === 'write' || origin === 'write-back' || origin === 'repair');
}

/**
 * What is missing at or below the watermark was normally collected here, and must not return. It was not where a source
 * whose watermark covers this one still holds it: then all replicas were proven to hold this key, and this one lost it, or
 * entered empty. But a tombstone or an expired record waits for its collection there, each replica in its own time: where
 * nothing is held, nothing is missing.
 */
function belongsBelowWatermark(asked: StoreCase): boolean {
  const { origin, watermark, sourceWatermark } = asked;
  if (origin === 'repair' || sourceWatermark === undefined) return false;
  if (compareVersions(sourceWatermark, watermark) < 0) return false;
  return belongsHere(asked);
}

/**
 * What any member of the set before holds at or below a watermark of that set is what all of them hold, so it cannot be older than
 * what was collected. It is lacking here, since this member began empty. Tombstones need not come: the watermark says as much.
 */
function belongsHere({ offered, newest, watermark }: StoreCase): boolean {
  return newest !== undefined || !isCollectable(offered, watermark);
}

/** Whether every replica may remove the record (docs/anti-entropy.md, step 3 of a round). */
export function isCollectable(held: Held, watermark: Version): boolean {
  if (!isAtOrBelow(held.version, watermark)) return false;
  return held.isTombstone || (held.expiresAtMs !== undefined && held.expiresAtMs <= watermark.wallMs);
}

function isAtOrBelow(version: Version, bound: Version): boolean {
  return compareVersions(version, bound) <= 0;
}
