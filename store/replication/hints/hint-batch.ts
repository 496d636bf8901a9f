import { compareVersions, type Version } from '../../core/version/version.ts';
import type { EngineOperation } from '../../storage/engine.ts';
import { keyName } from '../../storage/key-name.ts';
import { decodeHint, type StoredHint } from './hint-codec.ts';
import type { HintDropReason } from './hint-events.ts';

export type HintChange =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array; readonly hint: StoredHint }
  /** Only where it is still of that version; undefined: only where it is damaged. */
  | {
      readonly type: 'remove';
      readonly key: Uint8Array;
      readonly version: Version | undefined;
      readonly why: RemoveReason;
    };

export type RemoveReason = HintDropReason | 'replayed';

/** What becomes of one key: bytes of its value before and after, 0 where there is none. */
export type HintEffect = {
  readonly key: Uint8Array;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly keptAtMs: number;
};

export type HintBatch = {
  readonly operations: readonly EngineOperation[];
  readonly effects: readonly HintEffect[];
  readonly kept: number;
  readonly removed: ReadonlyMap<RemoveReason, number>;
};

type Slot = {
  readonly key: Uint8Array;
  readonly before: Uint8Array | undefined;
  value: Uint8Array | undefined;
  /** Undefined also where what is there is damaged. */
  hint: StoredHint | undefined;
};

/**
 * What a batch of changes comes to, in their order, given what lies there now: the newest version of a key stays, and a
 * removal never hits a newer one than it was meant for. `stored` are the values at the keys of `changes`.
 */
export function judgeBatch(
  changes: readonly HintChange[],
  stored: readonly (Uint8Array | undefined)[],
): HintBatch {
  const slots = new Map<string, Slot>();
  let kept = 0;
  const removed = new Map<RemoveReason, number>();
  for (const [i, change] of changes.entries()) {
    const slot = slotOf(slots, change.key, stored[i]);
    if (change.type === 'put' && isNewer(change.hint.version, slot.hint)) {
      slot.value = change.value;
      slot.hint = change.hint;
      kept += 1;
    } else if (change.type === 'remove' && slot.value !== undefined && isMeant(change.version, slot.hint)) {
      slot.value = undefined;
      slot.hint = undefined;
      removed.set(change.why, (removed.get(change.why) ?? 0) + 1);
    }
  }
  const changed = [...slots.values()].filter(({ before, value }) => before !== value);
  return { operations: changed.map(operationOf), effects: changed.map(effectOf), kept, removed };
}

function slotOf(slots: Map<string, Slot>, key: Uint8Array, before: Uint8Array | undefined): Slot {
  const name = keyName(key);
  const known = slots.get(name);
  if (known !== undefined) return known;
  const slot = { key, before, value: before, hint: before && decodeHint(key, before) };
  slots.set(name, slot);
  return slot;
}

function isNewer(version: Version, there: StoredHint | undefined): boolean {
  return there === undefined || compareVersions(version, there.version) > 0;
}

function isMeant(version: Version | undefined, there: StoredHint | undefined): boolean {
  if (version === undefined || there === undefined) return version === undefined && there === undefined;
  return compareVersions(version, there.version) === 0;
}

function operationOf({ key, value }: Slot): EngineOperation {
  return value === undefined ? { type: 'delete', key } : { type: 'put', key, value };
}

function effectOf({ key, before, value, hint }: Slot): HintEffect {
  const bytesOf = (of: Uint8Array | undefined): number => (of === undefined ? 0 : key.length + of.length);
  return { key, bytesBefore: bytesOf(before), bytesAfter: bytesOf(value), keptAtMs: hint?.keptAtMs ?? 0 };
}
