import type { MemberId } from '../raft/types.ts';
import { COUNTER_MAX, compareVersions, MEMBER_MAX, type Version, WALL_MS_MAX } from '../version/version.ts';

/** What a member says of a key: durable records only, and a watermark that it had when, or before, it looked. */
export type Holding = {
  /** Of a value or a tombstone; undefined: the member holds nothing. */
  readonly version: Version | undefined;
  readonly watermark: Version;
};

export type KeyVerdict =
  | { readonly type: 'settled' }
  /** The newest travels to all that lack it; then the key is compared again. */
  | {
      readonly type: 'carry';
      readonly version: Version;
      readonly from: MemberId;
      readonly to: readonly MemberId[];
    };

/** The floor of a comparison in which only the same version is equal. */
export const ABOVE_ALL: Version = { wallMs: WALL_MS_MAX, counter: COUNTER_MAX, member: MEMBER_MAX };

/**
 * Whether a key is settled up to `floor` (docs/anti-entropy.md, rounds): all members hold the same version, or all hold versions above
 * the floor. Versions at or below the highest watermark of a member without the key are ignored: it may have
 * collected them, and to wait for it, or to bring them back, would be for ever.
 *
 * The holdings may be of different moments, one of each member, all after its floor was confirmed: what was accepted at
 * or below the floor is durable by then, and records of a key only rise. So nothing sealed is newer than what its
 * member showed.
 */
export function judgeKey(floor: Version, holdings: ReadonlyMap<MemberId, Holding>): KeyVerdict {
  const counted = withoutIgnored(holdings);
  const newest = newestOf(counted);
  if (newest === undefined || isSettled(floor, counted, newest.version)) return { type: 'settled' };
  const lacks = (version: Version | undefined) =>
    version === undefined || compareVersions(version, newest.version) < 0;
  const to = [...counted].filter(([, version]) => lacks(version)).map(([member]) => member);
  return { type: 'carry', version: newest.version, from: newest.member, to };
}

/**
 * Members whose version lies at or below the watermark of another one that holds nothing, or something newer that is
 * sealed too. For a tombstone, or what expired, that is how collection looks half way; for a live record it is an error.
 */
export function sealedDifferences(holdings: ReadonlyMap<MemberId, Holding>): readonly MemberId[] {
  const isOddFor = (version: Version, other: Holding) => {
    if (compareVersions(version, other.watermark) > 0) return false;
    if (other.version === undefined) return true;
    return (
      compareVersions(other.version, version) > 0 && compareVersions(other.version, other.watermark) <= 0
    );
  };
  const isOdd = ({ version }: Holding) =>
    version !== undefined && [...holdings.values()].some((other) => isOddFor(version, other));
  return [...holdings].filter(([, holding]) => isOdd(holding)).map(([member]) => member);
}

type Counted = ReadonlyMap<MemberId, Version | undefined>;

function withoutIgnored(holdings: ReadonlyMap<MemberId, Holding>): Counted {
  let covered: Version | undefined;
  for (const { version, watermark } of holdings.values()) {
    if (version !== undefined) continue;
    if (covered === undefined || compareVersions(watermark, covered) > 0) covered = watermark;
  }
  const counted = new Map<MemberId, Version | undefined>();
  for (const [member, { version }] of holdings) {
    const isIgnored =
      version !== undefined && covered !== undefined && compareVersions(version, covered) <= 0;
    counted.set(member, isIgnored ? undefined : version);
  }
  return counted;
}

function newestOf(counted: Counted): { readonly member: MemberId; readonly version: Version } | undefined {
  let newest: { readonly member: MemberId; readonly version: Version } | undefined;
  for (const [member, version] of counted) {
    if (version === undefined) continue;
    if (newest === undefined || compareVersions(version, newest.version) > 0) newest = { member, version };
  }
  return newest;
}

function isSettled(floor: Version, counted: Counted, newest: Version): boolean {
  const versions = [...counted.values()];
  const every = (holds: (version: Version) => boolean) =>
    versions.every((version) => version !== undefined && holds(version));
  return (
    every((version) => compareVersions(version, newest) === 0) ||
    every((version) => compareVersions(version, floor) > 0)
  );
}
