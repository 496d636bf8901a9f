/**
 * Hash slots as in Redis Cluster (Redis Cluster specification, "Key distribution model"): CRC-16/XMODEM of the
 * key, or of its {hash tag}, modulo 16384. A partition is an equal, consecutive share of the slots.
 */
export const SLOT_COUNT = 16_384;

const POLYNOMIAL = 0x1021;
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++)
    crc = ((crc & 0x8000) !== 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1) & 0xffff;
  return crc;
});

const OPEN = 0x7b; // {
const CLOSE = 0x7d; // }

/** CRC-16/XMODEM of `bytes[from, to)`. */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0;
  for (let i = from; i < to; i++)
    crc = ((crc << 8) & 0xffff) ^ (TABLE[((crc >> 8) ^ (bytes[i] as number)) & 0xff] as number);
  return crc;
}

/** The slot of `key`, 0..16383. Keys that share a non-empty {hash tag} share a slot. */
export function slotOf(key: Uint8Array): number {
  const open = key.indexOf(OPEN);
  if (open >= 0) {
    const close = key.indexOf(CLOSE, open + 1);
    if (close > open + 1) return crc16(key, open + 1, close) % SLOT_COUNT;
  }
  return crc16(key) % SLOT_COUNT;
}

/** The partition of `slot` when the slots are split into `partitionCount` (a power of two, at most 4096). */
export function partitionOfSlot(slot: number, partitionCount: number): number {
  return Math.floor(slot / (SLOT_COUNT / partitionCount));
}

export function partitionOf(key: Uint8Array, partitionCount: number): number {
  return partitionOfSlot(slotOf(key), partitionCount);
}
