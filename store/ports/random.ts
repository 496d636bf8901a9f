/** Randomness is a port: the system's in io/, seeded in sim/. */
export type Random = {
  /** A number in [0, 1). */
  unit(): number;
  /** `length` random bytes, good enough for an identity. */
  bytes(length: number): Uint8Array;
};
