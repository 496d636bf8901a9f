import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/integers.ts';

/**
 * A version is the hybrid logical clock stamp of a write (Kulkarni et al. 2014, "Logical Physical Clocks"):
 * 48 bits of milliseconds since 1970, a 16-bit counter, and the number of the member that stamped it,
 * ordered in that order. Two writes never carry the same version.
 */
export type Version = {
  readonly wallMs: number;
  readonly counter: number;
  readonly member: number;
};

export const WALL_MS_MAX = 2 ** 48 - 1;
export const COUNTER_MAX = 0xffff;
export const MEMBER_MAX = 0xffff_ffff;

/** Bytes of an encoded version; the encoding sorts as versions do. */
export const VERSION_BYTES = 12;

export function compareVersions(a: Version, b: Version): number {
  return a.wallMs - b.wallMs || a.counter - b.counter || a.member - b.member;
}

/** Writes `version` into 12 bytes of `target` at `offset`, big-endian. */
export function writeVersion(version: Version, target: Uint8Array, offset: number): void {
  const { wallMs, counter, member } = version;
  const highMs = Math.floor(wallMs / 2 ** 32);
  writeUint16(highMs, target, offset);
  writeUint32(wallMs >>> 0, target, offset + 2);
  writeUint16(counter, target, offset + 6);
  writeUint32(member, target, offset + 8);
}

/** Reads what `writeVersion` wrote. */
export function readVersion(source: Uint8Array, offset: number): Version {
  return {
    wallMs: readUint16(source, offset) * 2 ** 32 + readUint32(source, offset + 2),
    counter: readUint16(source, offset + 6),
    member: readUint32(source, offset + 8),
  };
}

/** The text form, as in an ETag: 12 + 4 hexadecimal digits and the member number, e.g. `019aa1b2c3d4-0000-1`. */
export function formatVersion(version: Version): string {
  const wall = version.wallMs.toString(16).padStart(12, '0');
  const counter = version.counter.toString(16).padStart(4, '0');
  return `${wall}-${counter}-${version.member}`;
}

const TEXT_FORM = /^([0-9a-f]{12})-([0-9a-f]{4})-(0|[1-9][0-9]{0,9})$/;

/** Reads the text form; undefined where `text` is not one. */
export function parseVersion(text: string): Version | undefined {
  const match = TEXT_FORM.exec(text);
  if (match === null) return undefined;
  const member = Number(match[3]);
  if (member > MEMBER_MAX) return undefined;
  return {
    wallMs: Number.parseInt(match[1] as string, 16),
    counter: Number.parseInt(match[2] as string, 16),
    member,
  };
}
