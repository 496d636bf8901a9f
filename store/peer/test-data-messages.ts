import fc from 'fast-check';
import { toEpoch } from '../core/topology/types.ts';
import type { DataReply, DataRequest, KeyReport } from './data-messages.ts';
import { versions } from './test-replica-messages.ts';

/** Random requests about partitions, and replies to them. */
const record = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const list = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { maxLength: 4 });

const count = fc.oneof(fc.nat(200), fc.maxSafeNat());
const member = fc.integer({ min: 1, max: 0xffff_ffff });
const partition = fc.nat(4095);
const epoch = count.map(toEpoch);
const key = fc.uint8Array({ maxLength: 40 });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const leaf = fc.nat(65_536);
const partitionAt = { partition, epoch };
const keyAt = { namespaceId: fc.nat(), key };
const number = count;

type Of<T extends DataRequest | DataReply, Type extends T['type']> = Extract<T, { readonly type: Type }>;
type Bodies<T extends DataRequest | DataReply> = {
  readonly [Type in T['type']]: fc.Arbitrary<Omit<Of<T, Type>, 'type'>>;
};

/** One of all types of a union; the compiler wants each of them in `bodies`. */
function everyType<T extends DataRequest | DataReply>(bodies: Bodies<T>): fc.Arbitrary<T> {
  const types = Object.entries(bodies) as [string, fc.Arbitrary<object>][];
  return fc.oneof(
    ...types.map(([type, body]) => body.map((fields) => ({ type, ...fields }) as unknown as T)),
  );
}

const to = member;
export const dataRequests = everyType<DataRequest>({
  roots: record({ to, partitions: list(record(partitionAt)) }),
  walk: record({
    to,
    ...partitionAt,
    ask: record({
      type: fc.constant('ask' as const),
      number,
      shape: record({ fanOut: fc.constant(16), depth: fc.constant(3) }),
      level: fc.nat(3),
      parents: list(leaf),
    }),
  }),
  leaves: record({
    to,
    ...partitionAt,
    leaves: list(leaf),
    after: maybe(record(keyAt)),
    entriesMax: fc.nat(1000),
  }),
  round: record({
    to,
    ...partitionAt,
    stage: fc.constantFrom('floor' as const, 'settled' as const),
    round: record({ initiator: member, incarnation: count, number, floor: versions }),
  }),
  scan: record({
    to,
    partitions: list(record({ ...partitionAt, isFull: fc.boolean() })),
    namespaceId: fc.nat(),
    start: maybe(key),
    end: maybe(key),
    isReverse: fc.boolean(),
    entriesMax: fc.nat(1000),
    bytesMax: count,
  }),
  bulk: record({ to, ...partitionAt, after: maybe(record(keyAt)), bytesMax: count }),
  report: record({ to }),
  explain: record({ to, ...partitionAt, ...keyAt }),
  verify: record({ to, partitions: list(partition) }),
});

const rootOf = record({
  ...partitionAt,
  state: fc.constantFrom('ready' as const, 'building' as const, 'refused' as const),
  root: fc.uint8Array({ maxLength: 8 }),
  entries: count,
  floor: versions,
  watermark: versions,
});
const scanned = record({
  partition,
  key,
  version: versions,
  isTombstone: fc.boolean(),
  expiresAtMs: maybe(count),
  contentType: maybe(text),
  record: maybe(fc.uint8Array({ maxLength: 100 })),
});
const report = record<KeyReport>({
  epoch,
  version: maybe(versions),
  isTombstone: fc.boolean(),
  expiresAtMs: maybe(count),
  bytes: count,
  isCorrupt: fc.boolean(),
  floor: versions,
  watermark: versions,
  hints: list(record({ owner: member, version: versions })),
  lastExchange: list(record({ member, atMs: count })),
  treeState: fc.constantFrom('ready' as const, 'building' as const),
});
const confirmed = record({ type: fc.constant('confirmed' as const), floor: versions, watermark: versions });
const refused = record({ type: fc.constant('refused' as const), reason: text });
const walked = record({ type: fc.constant('answer' as const), number, hashes: fc.uint8Array() });
const notWalked = record({ type: fc.constant('refusal' as const), number, reason: text });

export const dataReplies = everyType<DataReply>({
  roots: record({ roots: list(rootOf) }),
  walk: record({ answer: fc.oneof(walked, notWalked) }),
  leaves: record({
    entries: list(record({ ...keyAt, version: versions, isTombstone: fc.boolean() })),
    done: fc.boolean(),
  }),
  round: record({ outcome: fc.oneof(confirmed, refused) }),
  scan: record({ entries: list(scanned), coveredTo: maybe(key) }),
  bulk: record({
    records: fc.uint8Array(),
    last: maybe(record(keyAt)),
    p99Ms: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
  }),
  report: record({
    report: record({
      received: list(record({ partition, session: count, bytes: count, bytesPerSecond: count })),
      owned: list(record({ partition, entries: count, bytes: count })),
      hints: list(record({ member, count, bytes: count })),
      freeBytes: maybe(count),
    }),
  }),
  explain: report,
  verify: record({
    report: record({
      partitions: count,
      equal: count,
      keysRepaired: count,
      bytesSent: count,
      unproven: list(partition),
      problems: list(text),
    }),
  }),
  'data-refused': record({ code: text, message: text, epoch }),
});
