import { statfs } from 'node:fs/promises';

/** Bytes that an ordinary user may still write at `location`. */
export async function freeBytesAt(location: string): Promise<number> {
  const { bavail, bsize } = await statfs(location);
  return bavail * bsize;
}
