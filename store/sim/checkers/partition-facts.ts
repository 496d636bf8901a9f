import { compareVersions, formatVersion, parseVersion, type Version } from '../../core/version/version.ts';
import { asBuffer, ENVELOPE_BYTES, open } from '../../storage/checksum.ts';
import type { EngineEntry, PlainOperation } from '../../storage/engine.ts';
import { FAMILY, metaKey, metaRange } from '../../storage/key-layout.ts';
import { requireOf } from './violation.ts';

const requireOrder = requireOf('a watermark is at or below its floor');
const requireRising = requireOf('floors and watermarks only rise');

/** What a disk says that its replica of a partition promised. */
export type PartitionFact = {
  readonly epoch: number;
  readonly floor: Version;
  readonly watermark: Version;
  /** Of the move by which it came; 0 where it was there from the first. */
  readonly session: number;
};

type Written = { readonly risen: readonly number[]; readonly entered: readonly number[] };

const NAME = 'partition-';
export const FACTS_RANGE = metaRange(NAME);
const PREFIX = asBuffer(metaKey(NAME));

/** The promises of one directory, as they lie durable on its disk; throws a Violation where one is broken. */
export class PartitionFacts {
  readonly #who: string;
  readonly byPartition = new Map<number, PartitionFact>();

  constructor(who: string) {
    this.#who = who;
  }

  /** Takes a synced write that has come to its end; returns the partitions whose watermark rose, and those that were entered. */
  written(batch: readonly PlainOperation[]): Written {
    const risen: number[] = [];
    const entered: number[] = [];
    for (const operation of batch) {
      if (operation.type === 'delete-range') continue;
      const partition = partitionOf(operation.key);
      if (partition === undefined) continue;
      const before = this.byPartition.get(partition);
      const fact = operation.type === 'put' ? readFact(operation.key, operation.value) : undefined;
      this.#require(partition, before, fact);
      if (fact === undefined) continue;
      this.byPartition.set(partition, fact);
      if (before === undefined || compareVersions(fact.watermark, before.watermark) > 0)
        risen.push(partition);
      if (fact.session !== (before?.session ?? 0)) entered.push(partition);
    }
    return { risen, entered };
  }

  /** What the disk holds at a start: nothing that was durable is missing. */
  found(entries: Iterable<EngineEntry>): void {
    const found = new Map([...entries].map(({ key, value }) => [partitionOf(key), readFact(key, value)]));
    for (const partition of new Set([...this.byPartition.keys(), ...found.keys()])) {
      if (partition === undefined) continue;
      const fact = found.get(partition);
      this.#require(partition, this.byPartition.get(partition), fact);
      if (fact !== undefined) this.byPartition.set(partition, fact);
    }
  }

  #require(partition: number, before: PartitionFact | undefined, fact: PartitionFact | undefined): void {
    const where = (): string => `partition ${partition} of ${this.#who}`;
    if (fact !== undefined)
      requireOrder(
        compareVersions(fact.watermark, fact.floor) <= 0,
        () => `${where()}: ${describeFact(fact)}`,
      );
    if (before === undefined) return;
    const isAbove =
      fact !== undefined &&
      fact.epoch >= before.epoch &&
      compareVersions(fact.floor, before.floor) >= 0 &&
      compareVersions(fact.watermark, before.watermark) >= 0;
    requireRising(isAbove, () => `${where()}: ${describeFact(before)}, then ${describeFact(fact)}`);
  }
}

function partitionOf(key: Uint8Array): number | undefined {
  if (key[0] !== FAMILY.meta || !asBuffer(key).subarray(0, PREFIX.length).equals(PREFIX)) return undefined;
  const partition = Number(asBuffer(key).toString('utf8', PREFIX.length));
  return Number.isInteger(partition) ? partition : undefined;
}

type StoredFact = {
  readonly epoch: number;
  readonly floor: string;
  readonly watermark: string;
  readonly session?: number;
};

/** Undefined where it is damaged. */
function readFact(key: Uint8Array, stored: Uint8Array): PartitionFact | undefined {
  const value = asBuffer(stored);
  if (open(key, value).type !== 'intact') return undefined;
  const fact = JSON.parse(value.toString('utf8', ENVELOPE_BYTES)) as StoredFact;
  const { epoch, floor, watermark, session = 0 } = fact;
  return { epoch, floor: parse(floor), watermark: parse(watermark), session };
}

function parse(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new Error(`the fact of a partition holds ${text}, which is no version`);
  return version;
}

export function describeFact(fact: PartitionFact | undefined): string {
  if (fact === undefined) return 'nothing';
  const { epoch, floor, watermark } = fact;
  return `epoch ${epoch}, floor ${formatVersion(floor)}, watermark ${formatVersion(watermark)}`;
}
