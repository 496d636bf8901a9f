import type { LogIndex } from '../../core/raft/types.ts';
import { toIndex } from '../../core/raft/types.ts';
import type { KeyRange } from '../engine.ts';
import { FAMILY } from '../key-layout.ts';

/** Where the log of one Raft group lies in the engine; the grammar is docs/storage-format.md. */
export type RaftKeys = {
  readonly hardState: Uint8Array;
  readonly bounds: Uint8Array;
  readonly snapshot: Uint8Array;
  entry(index: LogIndex): Uint8Array;
  chunk(generation: number, number: number): Uint8Array;
  /** Everything of the group. */
  readonly all: KeyRange;
  readonly entries: KeyRange;
  readonly chunks: KeyRange;
};

/** The group that keeps the topology. */
export const TOPOLOGY_GROUP = 0;

const KIND = { hardState: 0x01, bounds: 0x02, snapshot: 0x03, entry: 0x10, chunk: 0x20 } as const;
const PREFIX_BYTES = 1 + 4;
const KIND_AT = PREFIX_BYTES;
const SUFFIX_AT = KIND_AT + 1;
const TWO_TO_32 = 2 ** 32;

export function raftKeys(group: number): RaftKeys {
  const ofKind = (kind: number): Uint8Array => keyOf(group, kind, 0);
  return {
    hardState: ofKind(KIND.hardState),
    bounds: ofKind(KIND.bounds),
    snapshot: ofKind(KIND.snapshot),
    entry(index) {
      const key = keyOf(group, KIND.entry, 8);
      writeU64(key, index, SUFFIX_AT);
      return key;
    },
    chunk(generation, number) {
      const key = keyOf(group, KIND.chunk, 12);
      writeU64(key, generation, SUFFIX_AT);
      key.writeUInt32BE(number, SUFFIX_AT + 8);
      return key;
    },
    all: { start: keyOf(group, 0, 0), end: keyOf(group, 0xff, 0) },
    entries: { start: ofKind(KIND.entry), end: ofKind(KIND.entry + 1) },
    chunks: { start: ofKind(KIND.chunk), end: ofKind(KIND.chunk + 1) },
  };
}

/** The index that an entry's key names. */
export function indexOfKey(key: Buffer): LogIndex {
  return toIndex(readU64(key, SUFFIX_AT));
}

export function writeU64(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_TO_32), at);
  target.writeUInt32BE(value % TWO_TO_32, at + 4);
}

export function readU64(source: Buffer, at: number): number {
  return source.readUInt32BE(at) * TWO_TO_32 + source.readUInt32BE(at + 4);
}

function keyOf(group: number, kind: number, suffixBytes: number): Buffer {
  const key = Buffer.allocUnsafe(SUFFIX_AT + suffixBytes);
  key[0] = FAMILY.raft;
  key.writeUInt32BE(group, 1);
  key[KIND_AT] = kind;
  return key;
}
