/** Randomness is a port: the system's in io/, seeded in sim/. */
export type Random = {
  /** A number in [0, 1). */
  unit(): number;
  /** `length` random bytes, good enough for an identity. */
  bytes(length: number): Uint8Array;
};

/** `length` random bytes in hexadecimal. */
export function randomHex(random: Random, length: number): string {
  return Buffer.from(random.bytes(length)).toString('hex');
}
