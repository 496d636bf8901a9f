import { z } from 'zod';
import { ENGINE_NAMES } from '../storage/engine.ts';

/**
 * Every setting, with its default, what is allowed and why it is there. Units come last in the name. The file, the
 * environment, the flags, `kvorum config` and docs/configuration.md all follow this table.
 */
type Setting<T> = { readonly schema: z.ZodType<T>; readonly default: T; readonly help: string };

const setting = <T>(schema: z.ZodType<T>, defaultValue: T, help: string): Setting<T> => ({
  schema,
  default: defaultValue,
  help,
});

const MIB = 1 << 20;
const whole = (min: number, max: number): z.ZodType<number> => z.number().int().min(min).max(max);
const bytes = (min: number, max: number): z.ZodType<number> => whole(min, max);
const ms = (min: number, max: number): z.ZodType<number> => whole(min, max);
const port = whole(0, 65_535);
const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'a DNS label: 1 to 63 of a-z, 0-9 and -, no - at either end',
  );
const partitions = z
  .number()
  .refine(
    (count) => Number.isInteger(Math.log2(count)) && count >= 1 && count <= 4096,
    'a power of two from 1 to 4096',
  );
const engine = z.enum(['auto', ...ENGINE_NAMES]);
const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']);

export const SETTINGS = {
  'node.name': setting<string>(dnsLabel, 'kvorum-1', 'name of this node, unique in its cluster'),
  'node.dataDir': setting<string>(
    z.string().min(1),
    './kvorum-data',
    'directory of everything that must survive',
  ),
  'cluster.partitions': setting<number>(
    partitions,
    256,
    'slices of the hash space; fixed when the directory is created',
  ),

  'http.host': setting<string>(z.string().min(1), '127.0.0.1', 'address that the HTTP interface listens on'),
  'http.port': setting<number>(port, 7400, 'port of the HTTP interface; 0 takes a free one'),
  'http.connectionsMax': setting<number>(
    whole(1, 1_000_000),
    10_000,
    'open HTTP connections; more are refused',
  ),
  'http.inFlightRequestsMax': setting<number>(
    whole(1, 1_000_000),
    4096,
    'requests under way; more answer 503 OVERLOADED',
  ),
  'http.inFlightBytesMax': setting<number>(
    bytes(MIB, 64 * 1024 * MIB),
    256 * MIB,
    'bytes of request bodies held at once; more answer 503 OVERLOADED',
  ),
  'http.headerBytesMax': setting<number>(
    bytes(1024, MIB),
    16_384,
    'bytes of a request head; more answer 431',
  ),
  'http.headersTimeoutMs': setting<number>(ms(100, 600_000), 10_000, 'time for a request head to arrive'),
  'http.requestTimeoutMs': setting<number>(ms(100, 3_600_000), 60_000, 'time for a whole request to arrive'),
  'http.keepAliveTimeoutMs': setting<number>(
    ms(100, 3_600_000),
    65_000,
    'idle time after which a connection is closed',
  ),
  'http.streamStallMsMax': setting<number>(
    ms(100, 3_600_000),
    30_000,
    'time that a reader of a stream may take nothing',
  ),

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
  'storage.writeBacklogBytesMax': setting<number>(
    bytes(MIB, 16 * 1024 * MIB),
    64 * MIB,
    'bytes of writes that wait for the disk; more answer 503 OVERLOADED',
  ),
  'storage.reserveBytes': setting<number>(
    bytes(0, 1024 * 1024 * MIB),
    512 * MIB,
    'free space below which writes answer 507 STORAGE_FULL; deletes go on to half of it',
  ),
  'storage.spaceCheckMs': setting<number>(ms(10, 60_000), 500, 'time between looks at the free space'),

  'expiry.intervalMs': setting<number>(
    ms(10, 3_600_000),
    1000,
    'time between rounds that remove expired and deleted records',
  ),
  'expiry.recordsPerRoundMax': setting<number>(
    whole(1, 100_000),
    1000,
    'records that a round removes of each kind',
  ),

  'clock.aheadMs': setting<number>(
    ms(10, 60_000),
    400,
    'how far above the clock the durable bound of versions is set',
  ),
  'shutdown.graceMs': setting<number>(
    ms(0, 600_000),
    10_000,
    'time for requests in flight to finish after SIGTERM',
  ),
  'log.level': setting<z.infer<typeof logLevel>>(logLevel, 'info', 'least severity that is logged'),
} as const;

export type SettingName = keyof typeof SETTINGS;

/** The effective settings, by their names. */
export type Config = { readonly [K in SettingName]: (typeof SETTINGS)[K]['default'] };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** `storage.reserveBytes` -> `KVORUM_STORAGE_RESERVE_BYTES`. */
export function environmentName(name: SettingName): string {
  return `KVORUM_${name
    .replace('.', '_')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`;
}
