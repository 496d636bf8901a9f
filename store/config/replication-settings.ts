import { bytes, liveSetting, MIB, ms, setting, whole } from './setting.ts';

/** Data on several members: requests, repair and moves. */
export const REPLICATION_SETTINGS = {
  'replication.requestTimeoutMs': liveSetting<number>(
    ms(10, 60_000),
    5000,
    'time for a request for a key where it does not say; then its outcome is told as it is known',
  ),
  'replication.requestTimeoutMsMax': setting<number>(
    ms(10, 600_000),
    60_000,
    'the longest time that a request may ask for',
  ),
  'replication.inFlightMax': liveSetting<number>(
    whole(1, 1_000_000),
    16_384,
    'operations that this node coordinates at once; more answer 503 OVERLOADED',
  ),
  'replication.replicaInFlightMax': liveSetting<number>(
    whole(1, 1_000_000),
    16_384,
    'requests of this node that wait for one replica; more count as if it were out of reach',
  ),
  'replication.replicaInFlightBytesMax': liveSetting<number>(
    bytes(MIB, 16 * 1024 * MIB),
    64 * MIB,
    'bytes of requests of this node that wait for one replica',
  ),
  'replication.frameBytesMax': setting<number>(
    bytes(4096, 16 * MIB),
    262_144,
    'bytes of requests or answers that share a frame; a larger one is a frame of its own',
  ),
  'replication.hedgeMsMin': liveSetting<number>(
    ms(1, 60_000),
    10,
    'shortest wait for a replica before another one is asked as well; its recent p95 where that is longer',
  ),
  'replication.propagationMs': setting<number>(
    ms(20, 3_600_000),
    10_000,
    'how far behind the clock a floor is set: what was written by then has had its time to arrive',
  ),
  'replication.versionCacheEntriesMax': setting<number>(
    whole(0, 10_000_000),
    131_072,
    'versions of recently used keys that are kept in memory, at about 400 bytes each',
  ),
  'replication.recordCacheBytes': setting<number>(
    bytes(0, 64 * 1024 * MIB),
    64 * MIB,
    'recently used records of up to 16 KiB that are kept in memory, of the keys whose versions are',
  ),
  'replication.idempotencyKeysMax': setting<number>(
    whole(0, 10_000_000),
    65_536,
    'idempotency keys that this node remembers',
  ),

  'hints.bytesMax': liveSetting<number>(
    bytes(0, 1024 * 1024 * MIB),
    256 * MIB,
    'bytes of writes that are kept for owners that are down; more are left to anti-entropy',
  ),
  'hints.ageMsMax': liveSetting<number>(
    ms(1000, 604_800_000),
    10_800_000,
    'age after which a hint is dropped',
  ),
  'hints.replayBytesPerSecond': liveSetting<number>(
    bytes(1024, 16 * 1024 * MIB),
    16 * MIB,
    'rate at which hints are replayed to an owner that is back',
  ),

  'antiEntropy.intervalMs': liveSetting<number>(
    ms(10, 3_600_000),
    3000,
    'time between comparisons of the roots with each member that shares partitions',
  ),
  'antiEntropy.roundIntervalMs': liveSetting<number>(
    ms(10, 86_400_000),
    10_000,
    'shortest time between rounds of a partition that has something to collect',
  ),
  'antiEntropy.bytesPerSecond': liveSetting<number>(
    bytes(1024, 16 * 1024 * MIB),
    16 * MIB,
    'rate at which differing records are sent to one member',
  ),

  'moves.bytesPerSecond': liveSetting<number>(
    bytes(1024, 16 * 1024 * MIB),
    64 * MIB,
    'rate at which the records of partitions that move come from one member',
  ),
  'moves.bytesPerSecondMin': liveSetting<number>(
    bytes(1024, 16 * 1024 * MIB),
    MIB / 2,
    'rate at which a member fills up at least, however slow requests are',
  ),
  'moves.latencyTargetMs': liveSetting<number>(
    ms(1, 60_000),
    20,
    'p99 of requests at the giving and the receiving node, above which moves go slower',
  ),
  'moves.partitionsMax': setting<number>(
    whole(1, 64),
    4,
    'partitions that this node fills at the same time; it proves as many others',
  ),
} as const;
