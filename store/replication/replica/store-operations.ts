import type { EngineOperation } from '../../storage/engine.ts';
import type { RecordAddress } from '../../storage/key-layout.ts';
import { type Held, indexKeyOf } from './held.ts';

const NO_VALUE = new Uint8Array();

export type Storing = {
  readonly address: RecordAddress;
  readonly storedKey: Uint8Array;
  readonly record: Uint8Array;
  readonly offered: Held;
  /** What it replaces. */
  readonly newest: Held | undefined;
};

/** Adds what stores a record, with its index entry; what is replaced takes its own along, unless it has the same one. */
export function storeOperations(
  operations: EngineOperation[],
  { address, storedKey, record, offered, newest }: Storing,
): void {
  operations.push({ type: 'put', key: storedKey, value: record });
  const indexKey = indexKeyOf(address, offered);
  const isSameExpiry =
    newest?.expiresAtMs === offered.expiresAtMs && !newest?.isTombstone && !offered.isTombstone;
  const replaced = newest === undefined || isSameExpiry ? undefined : indexKeyOf(address, newest);
  if (replaced !== undefined) operations.push({ type: 'delete', key: replaced });
  if (indexKey !== undefined) operations.push({ type: 'put', key: indexKey, value: NO_VALUE });
}
