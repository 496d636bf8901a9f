import { compareVersions, type Version } from '../version/version.ts';

/** What a replica sees of a key. All that it names is durable there. */
export type Sight<Data> = {
  /** Undefined: nothing up to `watermark`, and nothing above it either. */
  readonly version: Version | undefined;
  readonly watermark: Version;
  /** Whether the value was asked for; `data` is then there wherever a version is. */
  readonly isFull: boolean;
  readonly data: Data | undefined;
};

/** The later of two sights of one replica, which may arrive in any order; at the same version the full one. */
export function laterSight<Data>(a: Sight<Data> | undefined, b: Sight<Data>): Sight<Data> {
  if (a === undefined) return b;
  if (a.version === undefined && b.version === undefined)
    return moreKnown(a, b, compareVersions(a.watermark, b.watermark));
  if (a.version === undefined) return isCollected(b.version as Version, a) ? a : b;
  if (b.version === undefined) return isCollected(a.version, b) ? b : a;
  return moreKnown(a, b, compareVersions(a.version, b.version));
}

function moreKnown<Data>(a: Sight<Data>, b: Sight<Data>, order: number): Sight<Data> {
  if (order !== 0) return order > 0 ? a : b;
  return a.isFull ? a : b;
}

/** A version does not leave a replica but by collection at a watermark. */
function isCollected(version: Version, nothing: Sight<unknown>): boolean {
  return compareVersions(version, nothing.watermark) <= 0;
}
