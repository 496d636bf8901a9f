import { compareBytes } from '../../core/bytes/bytes.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { DataReply, ScannedEntry } from '../../peer/data-messages.ts';
import { keyName } from '../../storage/key-name.ts';
import { NO_VERSION } from './local-scan.ts';
import type { ScanPlan } from './scan-plan.ts';

export type ScanAnswer = Extract<DataReply, { readonly type: 'scan' }>;

/** A key that some member named, and what is known of it. */
export type ScannedKey = { readonly key: Uint8Array; readonly partition: number; readonly state: KeyState };

export type KeyState =
  /**
   * All R that were asked hold this version. R = W, the majority, so W replicas hold it durably and no later read can
   * miss it: the second phase of a read, the write-back, has nothing to do. `entry` has the record where any has.
   */
  | { readonly type: 'agreed'; readonly entry: ScannedEntry }
  /** They differ, one lacks the key, or holds it damaged: only a read at quorum can say what holds. */
  | { readonly type: 'unsettled' };

export type MergedAnswers = {
  /** In the order of the scan, none behind `coveredTo`. */
  readonly keys: readonly ScannedKey[];
  /** Every key up to here that R of its replicas can tell of is among `keys`; undefined: the range is done. */
  readonly coveredTo: Uint8Array | undefined;
};

/** Puts the answers to a plan together, as far as all of them reach. */
export function mergeAnswers(
  plan: ScanPlan,
  answers: ReadonlyMap<MemberId, ScanAnswer>,
  isReverse: boolean,
): MergedAnswers {
  const order = isReverse
    ? (a: Uint8Array, b: Uint8Array) => compareBytes(b, a)
    : (a: Uint8Array, b: Uint8Array) => compareBytes(a, b);
  const coveredTo = nearest(
    [...answers.values()].map((answer) => answer.coveredTo),
    order,
  );
  const groups = new Map<string, ScannedEntry[]>();
  for (const { entries } of answers.values()) {
    for (const entry of entries) {
      if (coveredTo !== undefined && order(entry.key, coveredTo) > 0) break;
      const name = keyName(entry.key);
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [entry]);
      else group.push(entry);
    }
  }
  const keys = [...groups.values()].map((group) => judge(group, plan));
  return { keys: keys.sort((a, b) => order(a.key, b.key)), coveredTo };
}

/** The bound that comes first; undefined where none stopped before the end. */
function nearest(
  bounds: readonly (Uint8Array | undefined)[],
  order: (a: Uint8Array, b: Uint8Array) => number,
): Uint8Array | undefined {
  let first: Uint8Array | undefined;
  for (const bound of bounds)
    if (bound !== undefined && (first === undefined || order(bound, first) < 0)) first = bound;
  return first;
}

function judge(group: readonly ScannedEntry[], plan: ScanPlan): ScannedKey {
  const first = group[0] as ScannedEntry;
  const { key, partition } = first;
  const isAgreed =
    group.length === plan.needed.get(partition) &&
    isKnown(first.version) &&
    group.every(({ version }) => compareVersions(version, first.version) === 0);
  if (!isAgreed) return { key, partition, state: { type: 'unsettled' } };
  const entry = group.find(({ record }) => record !== undefined) ?? first;
  return { key, partition, state: { type: 'agreed', entry } };
}

function isKnown(version: Version): boolean {
  return compareVersions(version, NO_VERSION) > 0;
}
