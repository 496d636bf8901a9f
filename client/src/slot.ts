/** The slots of Redis Cluster, and of the store: CRC-16/XMODEM of the key, or of its {hash tag}, modulo 16384. */
export const SLOT_COUNT = 16_384;

const POLYNOMIAL = 0x1021;
const OPEN = 0x7b; // {
const CLOSE = 0x7d; // }

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : POLYNOMIAL);
  return crc;
});

/** The slot of `key`, 0..16383. */
export function slotOf(key: Uint8Array): number {
  let crc = 0;
  for (const byte of hashed(key)) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ byte]!;
  return crc % SLOT_COUNT;
}

/** What stands between the first `{` and the first `}` behind it, unless that is nothing; else the whole key. */
function hashed(key: Uint8Array): Uint8Array {
  const open = key.indexOf(OPEN);
  const close = open === -1 ? -1 : key.indexOf(CLOSE, open + 1);
  return close > open + 1 ? key.subarray(open + 1, close) : key;
}
