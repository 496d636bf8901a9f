import {
  type Configuration,
  type Entry,
  type HardState,
  type LogIndex,
  type SnapshotMeta,
  toIndex,
  toTerm,
} from '../../core/raft/types.ts';
import { asBuffer, ENVELOPE_BYTES, open, seal } from '../checksum.ts';
import type { EngineOperation } from '../engine.ts';
import { newerFormat } from '../meta-store.ts';
import { readU64, writeU64 } from './raft-keys.ts';

/** The records of a Raft group; each is an envelope (checksum.ts) and one of the payloads below. */

/** The log on disk is `first` to `last`; empty where `first` is `last + 1`. */
export type Bounds = { readonly first: LogIndex; readonly last: LogIndex };

/** What makes the chunks of one generation the snapshot. Generation 0 has no chunk: there is no snapshot yet. */
export type SnapshotPointer = SnapshotMeta & {
  readonly generation: number;
  readonly bytesTotal: number;
  readonly chunkBytes: number;
};

/** A record that is not what was written. `what` names it for people. */
export class DamagedRecord extends Error {
  override readonly name = 'DamagedRecord';
}

const ENTRY_TYPES = { 'no-op': 0, command: 1, config: 2 } as const;
const TYPE_AT = ENVELOPE_BYTES + 8;
const DATA_AT = TYPE_AT + 1;
const BOUNDS_BYTES = ENVELOPE_BYTES + 16;
const HARD_STATE_BYTES = ENVELOPE_BYTES + 24;
const NOTHING = new Uint8Array(0);

export function putEntry(key: Uint8Array, entry: Entry): EngineOperation {
  const data = entryData(entry);
  const value = Buffer.allocUnsafe(DATA_AT + data.length);
  writeU64(value, entry.term, ENVELOPE_BYTES);
  value[TYPE_AT] = ENTRY_TYPES[entry.type];
  value.set(data, DATA_AT);
  return sealed(key, value);
}

export function readEntry(key: Uint8Array, index: LogIndex, stored: Uint8Array): Entry {
  const value = verified(key, stored, `entry ${index}`);
  const position = { index, term: toTerm(readU64(value, ENVELOPE_BYTES)) };
  switch (value[TYPE_AT]) {
    case ENTRY_TYPES['no-op']:
      return { type: 'no-op', ...position };
    case ENTRY_TYPES.command:
      // A copy: a slice would keep the whole page that it was read with.
      return { type: 'command', ...position, data: new Uint8Array(value.subarray(DATA_AT)) };
    case ENTRY_TYPES.config:
      return { type: 'config', ...position, configuration: JSON.parse(value.toString('utf8', DATA_AT)) };
    default:
      throw new DamagedRecord(`entry ${index} has the unknown type ${value[TYPE_AT]}`);
  }
}

export function putBounds(key: Uint8Array, { first, last }: Bounds): EngineOperation {
  const value = Buffer.allocUnsafe(BOUNDS_BYTES);
  writeU64(value, first, ENVELOPE_BYTES);
  writeU64(value, last, ENVELOPE_BYTES + 8);
  return sealed(key, value);
}

export function readBounds(key: Uint8Array, stored: Uint8Array): Bounds {
  const value = verified(key, stored, 'the record of the bounds of the log');
  return {
    first: toIndex(readU64(value, ENVELOPE_BYTES)),
    last: toIndex(readU64(value, ENVELOPE_BYTES + 8)),
  };
}

/** A vote of 0 stands for none: member numbers begin at 1. */
export function putHardState(key: Uint8Array, { term, vote, commit }: HardState): EngineOperation {
  const value = Buffer.allocUnsafe(HARD_STATE_BYTES);
  writeU64(value, term, ENVELOPE_BYTES);
  writeU64(value, vote ?? 0, ENVELOPE_BYTES + 8);
  writeU64(value, commit, ENVELOPE_BYTES + 16);
  return sealed(key, value);
}

export function readHardState(key: Uint8Array, stored: Uint8Array): HardState {
  const value = verified(key, stored, 'the record of term and vote');
  const vote = readU64(value, ENVELOPE_BYTES + 8);
  return {
    term: toTerm(readU64(value, ENVELOPE_BYTES)),
    vote: vote === 0 ? undefined : vote,
    commit: toIndex(readU64(value, ENVELOPE_BYTES + 16)),
  };
}

export function putPointer(key: Uint8Array, pointer: SnapshotPointer): EngineOperation {
  const payload = Buffer.from(JSON.stringify(pointer));
  const value = Buffer.allocUnsafe(ENVELOPE_BYTES + payload.length);
  value.set(payload, ENVELOPE_BYTES);
  return sealed(key, value);
}

export function readPointer(key: Uint8Array, stored: Uint8Array): SnapshotPointer {
  const value = verified(key, stored, 'the record of the snapshot');
  return JSON.parse(value.toString('utf8', ENVELOPE_BYTES)) as SnapshotPointer;
}

export function putChunk(key: Uint8Array, data: Uint8Array): EngineOperation {
  const value = Buffer.allocUnsafe(ENVELOPE_BYTES + data.length);
  value.set(data, ENVELOPE_BYTES);
  return sealed(key, value);
}

export function readChunk(key: Uint8Array, stored: Uint8Array, number: number): Uint8Array {
  return verified(key, stored, `chunk ${number} of the snapshot`).subarray(ENVELOPE_BYTES);
}

function entryData(entry: Entry): Uint8Array {
  switch (entry.type) {
    case 'no-op':
      return NOTHING;
    case 'command':
      return entry.data;
    case 'config':
      return Buffer.from(JSON.stringify(entry.configuration satisfies Configuration));
  }
}

function sealed(key: Uint8Array, value: Buffer): EngineOperation {
  seal(key, value);
  return { type: 'put', key, value };
}

/** Throws DamagedRecord, or the refusal of a newer version's format, which is no damage. */
function verified(key: Uint8Array, stored: Uint8Array, what: string): Buffer {
  const value = asBuffer(stored);
  const opened = open(key, value);
  if (opened.type === 'intact') return value;
  if (opened.type === 'unknown-format')
    throw newerFormat(`${what} of the Raft log has storage format ${opened.format}`);
  throw new DamagedRecord(`${what} fails its checksum`);
}
