import { z } from 'zod';
import { ENGINE_NAMES } from '../storage/engine.ts';
import { bytes, liveSetting, MIB, ms, setting, whole } from './setting.ts';

const engine = z.enum(['auto', ...ENGINE_NAMES]);

/** What a request may ask for. */
export const LIMIT_SETTINGS = {
  'limits.keyBytesMax': setting<number>(bytes(1, 1024), 1024, 'bytes of a key'),
  'limits.valueBytesMax': setting<number>(bytes(1, 8 * MIB), 8 * MIB, 'bytes of a value'),
  'limits.batchOperationsMax': setting<number>(whole(1, 1000), 1000, 'operations of a batch'),
  'limits.batchBytesMax': setting<number>(bytes(1024, 64 * MIB), 16 * MIB, 'bytes of a batch request'),
  'limits.scanEntriesMax': setting<number>(whole(1, 1000), 1000, 'entries of a page of a scan'),
  'limits.scanPageBytesMax': setting<number>(
    bytes(1024, 64 * MIB),
    4 * MIB,
    'bytes of keys and values after which a page of a scan ends',
  ),
  'limits.scanExaminedMax': setting<number>(
    whole(100, 10_000_000),
    20_000,
    'records, live or not, that a page of a scan looks at',
  ),
  'limits.namespacesMax': setting<number>(whole(1, 100_000), 1000, 'namespaces of a cluster'),
} as const;

/** Data on the disk of this node, how long it stays, and its versions. */
export const STORAGE_SETTINGS = {
  'storage.engine': setting<z.infer<typeof engine>>(
    engine,
    'auto',
    'auto takes rocksdb where it has a binary, else leveldb; memory forgets everything at exit',
  ),
  'storage.cacheBytes': setting<number>(bytes(0, 64 * 1024 * MIB), 64 * MIB, 'block cache'),
  'storage.memtableBytes': setting<number>(
    bytes(MIB, 16 * 1024 * MIB),
    64 * MIB,
    'budget of recent writes held in memory',
  ),
  'storage.writeGroupBytesMax': setting<number>(
    bytes(65_536, 256 * MIB),
    8 * MIB,
    'bytes of writes that share one fsync',
  ),
  'storage.writeBacklogBytesMax': liveSetting<number>(
    bytes(MIB, 16 * 1024 * MIB),
    64 * MIB,
    'bytes of writes that wait for the disk; more answer 503 OVERLOADED',
  ),
  'storage.reserveBytes': liveSetting<number>(
    bytes(0, 1024 * 1024 * MIB),
    512 * MIB,
    'free space below which writes answer 507 STORAGE_FULL; deletes go on to half of it',
  ),
  'storage.spaceCheckMs': liveSetting<number>(ms(10, 60_000), 500, 'time between looks at the free space'),
  'storage.corruptRecordsMax': setting<number>(
    whole(1, 1_000_000),
    100,
    'damaged records after which a replica takes no part any more',
  ),

  'expiry.intervalMs': liveSetting<number>(
    ms(10, 3_600_000),
    1000,
    'time between rounds that remove expired and deleted records',
  ),
  'expiry.recordsPerRoundMax': liveSetting<number>(
    whole(1, 100_000),
    1000,
    'records that a round removes of each kind',
  ),

  'clock.aheadMs': setting<number>(
    ms(10, 60_000),
    400,
    'how far above the clock the durable bound of versions is set; up to 5 s on a slow disk',
  ),
  'clock.skewMsMax': setting<number>(
    ms(1, 60_000),
    500,
    'how far ahead of its clock a replica accepts a version',
  ),
} as const;
