import { type Mutant, mutant } from './mutant.ts';

const QUORUM = 'store/core/quorum';
const REPLICA = 'store/replication/replica';

const WRITES: readonly Mutant[] = [
  mutant(
    'acknowledged-at-w-minus-1',
    'a write is acknowledged when W hold it',
    `${QUORUM}/write-decision.ts`,
    'isMet &&= held >= w;',
    'isMet &&= held >= w - 1;',
  ),
  mutant(
    'no-version-query',
    'a write asks R replicas before it is stamped',
    `${QUORUM}/write-decision.ts`,
    "if (answered >= r) return { type: 'stamp'",
    "if (answered >= 0 * r) return { type: 'stamp'",
  ),
  mutant(
    'unknown-told-as-unwritten',
    'what some replica may hold is never told to be unwritten',
    `${QUORUM}/write-decision.ts`,
    "outcome: maybeHeld(write) ? 'unknown' : 'unwritten',",
    "outcome: 'unwritten',",
  ),
  mutant(
    'restamp-on-retry',
    'a write that is tried again keeps its stamp',
    'store/replication/coordinator/idempotency.ts',
    'return this.#run(name, digest, known.state, write);',
    'return this.#run(name, digest, undefined, write);',
  ),
  mutant(
    'version-reuse-after-restart',
    'a restart stamps above all that was stamped before it',
    'store/storage/version-source.ts',
    'startClock(options.member, stored?.ceilingMs ?? 0)',
    'startClock(options.member, Math.min(0, stored?.ceilingMs ?? 0))',
  ),
];

const READS: readonly Mutant[] = [
  mutant(
    'r-minus-1',
    'a read hears R replicas',
    `${QUORUM}/read-decision.ts`,
    'heardOf(read, asked) < needed(read.level, asked.length)',
    'heardOf(read, asked) < Math.max(1, needed(read.level, asked.length) - 1)',
  ),
  mutant(
    'write-back-after-answer',
    'what a read answers is on W replicas before it is answered',
    `${QUORUM}/read-decision.ts`,
    'if (sets.every((set) => lacking(set) <= 0))',
    'if (sets.every((set) => lacking(set) <= set.length))',
  ),
  {
    name: 'read-ignores-watermarks',
    rule: 'a read that spans a round does not answer what was deleted: "nothing up to m" beats it, and a write-back that a watermark refused does not count',
    edits: [
      {
        file: `${QUORUM}/read-decision.ts`,
        from: 'return { ...read, isSpanningRound: true };',
        to: 'return { ...read, held: new Map(read.held).set(member, { wallMs: 2 ** 48 - 1, counter: 0, member: 0 }) };',
      },
      {
        file: `${QUORUM}/read-decision.ts`,
        from: 'if (compareVersions(version, sight.watermark) <= 0) return true;',
        to: 'if (compareVersions(version, sight.watermark) <= 0) return false;',
      },
    ],
  },
  mutant(
    'oldest-wins',
    'the newest of R answers is read',
    `${QUORUM}/read-decision.ts`,
    'if (newest === undefined || compareVersions(version, newest) > 0) newest = version;',
    'if (newest === undefined || compareVersions(version, newest) < 0) newest = version;',
  ),
  mutant(
    'expired-hides-nothing',
    'an expired record is not read',
    'store/storage/record.ts',
    '(record.expiresAtMs === undefined || record.expiresAtMs > nowMs)',
    '(record.expiresAtMs === undefined || record.expiresAtMs > 0 * nowMs)',
  ),
  mutant(
    'scan-of-one-replica',
    'a scan hears R replicas of every partition',
    'store/replication/scan/cluster-scan.ts',
    "this.#level = request.level ?? 'quorum';",
    'this.#level = request.level ?? 1;',
  ),
];

const REPLICAS: readonly Mutant[] = [
  mutant(
    'held-before-durable',
    '"held" is said of durable records only',
    `${REPLICA}/writer.ts`,
    'const SYNC = { sync: true };',
    'const SYNC = { sync: false };',
  ),
  mutant(
    'older-replaces-newer',
    'the newest version wins on a replica',
    `${REPLICA}/serve-store.ts`,
    'if (newest !== undefined && compareVersions(offer.offered.version, newest.version) <= 0) {',
    'if (newest !== undefined && compareVersions(offer.offered.version, newest.version) === 0) {',
  ),
  mutant(
    'write-below-floor',
    "a floor refuses clients' writes at or below it",
    `${REPLICA}/judge-store.ts`,
    "return isAtOrBelow(offered.version, floor) ? 'BELOW_FLOOR' : 'accept';",
    "return isAtOrBelow(offered.version, floor) && origin === 'hint' ? 'BELOW_FLOOR' : 'accept';",
  ),
  mutant(
    'hint-below-floor',
    'a floor refuses hints at or below it',
    `${REPLICA}/judge-store.ts`,
    "return isAtOrBelow(offered.version, floor) ? 'BELOW_FLOOR' : 'accept';",
    "return isAtOrBelow(offered.version, floor) && origin === 'write' ? 'BELOW_FLOOR' : 'accept';",
  ),
  {
    ...mutant(
      'repair-below-watermark',
      'a watermark refuses repairs at or below it',
      `${REPLICA}/judge-store.ts`,
      "belongsBelowWatermark(asked) ? 'accept-lost' : 'BELOW_WATERMARK'",
      "belongsBelowWatermark(asked) ? 'accept-lost' : 'accept'",
    ),
    test: `${REPLICA}/judge-store.test.ts`,
  },
];

const ROUNDS: readonly Mutant[] = [
  {
    name: 'watermark-without-floor',
    rule: 'a watermark rises behind a floor that all confirmed',
    edits: [
      {
        file: `${REPLICA}/owned-view.ts`,
        from: 'this.#state.wantFloor(floor);\n    await this.#promise();',
        to: '',
      },
      {
        file: 'store/core/round/round.ts',
        from: "const reached = answer.stage === 'floor' ? answer.floor : answer.watermark;",
        to: "const reached = answer.stage === 'floor' ? round.id.floor : answer.watermark;",
      },
      {
        file: 'store/replication/exchange/answer.ts',
        from: 'if (compareVersions(floor, watermark) < 0) {',
        to: 'if (compareVersions(floor, watermark) < 0 && partition < 0) {',
      },
    ],
  },
  mutant(
    'settled-without-comparing',
    'a watermark rises when every key is settled',
    'store/core/round/judge-key.ts',
    'every((version) => compareVersions(version, newest) === 0) ||',
    'every((version) => compareVersions(version, newest) === 0) || true ||',
  ),
  {
    name: 'collect-below-floor',
    rule: 'only what lies below the watermark is collected',
    edits: [
      {
        file: `${REPLICA}/collector.ts`,
        from: 'tombstoneRange(partition.number, partition.watermark)',
        to: 'tombstoneRange(partition.number, partition.floor)',
      },
      {
        file: `${REPLICA}/collector.ts`,
        from: 'isCollectable(durable, partition.watermark)',
        to: 'isCollectable(durable, partition.floor)',
      },
    ],
  },
  {
    name: 'tombstone-dropped-at-once',
    rule: 'a tombstone stays until all replicas are proven to hold it',
    edits: [
      {
        file: `${REPLICA}/collector.ts`,
        from: 'tombstoneRange(partition.number, partition.watermark)',
        to: 'tombstoneRange(partition.number, undefined)',
      },
      {
        file: `${REPLICA}/collector.ts`,
        from: "isCollectable(durable, partition.watermark) ? 'remove' : 'stays'",
        to: "isCollectable(durable, partition.watermark) || durable.isTombstone ? 'remove' : 'stays'",
      },
    ],
  },
  mutant(
    'expired-collected-by-version-alone',
    'an expired record goes when version and expiry lie below the watermark',
    `${REPLICA}/judge-store.ts`,
    'held.expiresAtMs !== undefined && held.expiresAtMs <= watermark.wallMs',
    'held.expiresAtMs !== undefined && held.expiresAtMs > 0',
  ),
  mutant(
    'watermark-not-kept',
    'a watermark is durable before anything below it goes',
    `${REPLICA}/partition-facts.ts`,
    'watermark: formatVersion(watermark) }',
    'watermark: formatVersion(ZERO_VERSION) }',
  ),
];

/** Rules of replicated data while nothing moves. */
export const DATA_MUTANTS: readonly Mutant[] = [...WRITES, ...READS, ...REPLICAS, ...ROUNDS];
