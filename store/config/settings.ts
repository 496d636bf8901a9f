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
const clusterId = z.string().regex(/^([0-9a-f]{32})?$/, '32 hexadecimal digits, or nothing');
const zone = z
  .string()
  .regex(/^[A-Za-z0-9._-]{0,63}$/, 'at most 63 letters, digits, dots, hyphens and underscores');
const address = z.string().regex(/^(\S+:\d{1,5})?$/, 'host:port, or nothing');
const httpAddress = z
  .string()
  .regex(
    /^((https?:\/\/)?[^\s/]+:\d{1,5})?$/,
    'host:port, also with http:// or https:// before it, or nothing',
  );
/** A list in the file; elsewhere text with commas between. */
const addresses = z.array(z.string().regex(/^\S+:\d{1,5}$/, 'each host:port')).max(100) as z.ZodType<
  readonly string[]
>;
const flag = z.boolean();
const onOffAuto = z.enum(['auto', 'on', 'off']);
const redirect = z.enum(['never', 'owner']);
const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']);

export const SETTINGS = {
  'node.name': setting<string>(dnsLabel, 'kvorum-1', 'name of this node, unique in its cluster'),
  'node.dataDir': setting<string>(
    z.string().min(1),
    './kvorum-data',
    'directory of everything that must survive',
  ),
  'node.zone': setting<string>(
    zone,
    '',
    'failure domain of this node; voters and replicas are spread over zones',
  ),
  'node.weight': setting<number>(
    whole(1, 1000),
    100,
    'share of the data that this node takes when it joins, relative to the others',
  ),

  'cluster.bootstrap': setting<boolean>(
    flag,
    false,
    'make a new cluster of this node where its directory is empty; else it waits for one',
  ),
  'cluster.id': setting<string>(
    clusterId,
    '',
    'the cluster to make or to join; empty draws one, or joins that of the first seed that answers',
  ),
  'cluster.seeds': setting<readonly string[]>(
    addresses,
    [],
    'peer addresses to look for a cluster at, host:port; a DNS name may stand for many nodes',
  ),
  'cluster.seedIntervalMs': setting<number>(
    ms(10, 600_000),
    1000,
    'time between looks at the seeds while there is no cluster, or no leader',
  ),
  'cluster.partitions': setting<number>(
    partitions,
    256,
    'slices of the hash space; fixed when the cluster is made',
  ),
  'cluster.replicationFactor': setting<number>(
    whole(1, 9),
    3,
    'replicas of each partition; counts when the cluster is made, `kvorum factor` changes it later',
  ),
  'cluster.initialMembers': setting<number>(
    whole(0, 1000),
    0,
    'members that must be up before the partitions are placed for the first time; 0 takes the replication factor',
  ),
  'cluster.votersMax': setting<number>(
    whole(1, 9),
    5,
    'members that vote on the topology; the others follow',
  ),
  'cluster.rebalance': setting<boolean>(
    flag,
    true,
    'while this node leads, partitions are moved to members that have joined, and away from those that are gone for good',
  ),
  'cluster.rebalanceAfterMs': setting<number>(
    ms(0, 3_600_000),
    5000,
    'time for which members must neither come nor go before partitions begin to move',
  ),
  'cluster.replaceMemberAfterMs': setting<number>(
    ms(1000, 30 * 86_400_000),
    600_000,
    'time after which the partitions of a member that is down are given to others',
  ),
  'cluster.replaceVoterAfterMs': setting<number>(
    ms(100, 86_400_000),
    60_000,
    'time after which a voter that is gone gives its vote to another member',
  ),
  'cluster.requestTimeoutMs': setting<number>(
    ms(100, 600_000),
    10_000,
    'time for a change or a read of the topology, also through the leader',
  ),

  'peer.host': setting<string>(z.string().min(1), '127.0.0.1', 'address that the peer interface listens on'),
  'peer.port': setting<number>(port, 7401, 'port of the peer interface; 0 takes a free one'),
  'peer.advertise': setting<string>(
    address,
    '',
    'where other nodes reach this one, host:port; empty takes what it listens on',
  ),
  'peer.frameBytesMax': setting<number>(
    bytes(65_536, 256 * MIB),
    16 * MIB,
    'bytes of a frame; a larger one costs the sender its connection',
  ),
  'peer.queueBytesMax': setting<number>(
    bytes(65_536, 1024 * MIB),
    32 * MIB,
    'bytes that wait for one peer; more are dropped, or refused to the asker',
  ),
  'peer.linksMax': setting<number>(whole(1, 100_000), 2000, 'peer connections; more are refused'),
  'peer.heartbeatMs': setting<number>(ms(10, 60_000), 1000, 'time between heartbeats of a quiet link'),
  'peer.idleTimeoutMs': setting<number>(ms(50, 600_000), 5000, 'silence after which a link is given up'),
  'peer.connectTimeoutMs': setting<number>(ms(50, 60_000), 3000, 'time for a connection and its handshake'),
  'peer.reconnectMsMax': setting<number>(
    ms(10, 60_000),
    1000,
    'longest wait before a broken link is tried again; half of it is random',
  ),
  'peer.tlsCert': setting<string>(
    z.string(),
    '',
    'PEM file of this node; set all three, or none, of peer.tls*',
  ),
  'peer.tlsKey': setting<string>(z.string(), '', 'PEM file of the private key'),
  'peer.tlsCa': setting<string>(z.string(), '', 'PEM file of whom peers must be signed by'),

  'raft.heartbeatMs': setting<number>(ms(5, 10_000), 100, 'time between heartbeats of the leader'),
  'raft.electionTimeoutMs': setting<number>(
    ms(20, 60_000),
    1000,
    'silence of the leader after which an election begins, drawn from this to twice this',
  ),
  'raft.snapshotEntries': setting<number>(
    whole(10, 10_000_000),
    10_000,
    'log entries after which a snapshot is taken',
  ),
  'raft.entriesKept': setting<number>(
    whole(0, 10_000_000),
    5000,
    'log entries kept behind a snapshot for members that lag',
  ),

  'replication.requestTimeoutMs': setting<number>(
    ms(10, 60_000),
    5000,
    'time for a request for a key where it does not say; then its outcome is told as it is known',
  ),
  'replication.requestTimeoutMsMax': setting<number>(
    ms(10, 600_000),
    60_000,
    'the longest time that a request may ask for',
  ),
  'replication.inFlightMax': setting<number>(
    whole(1, 1_000_000),
    16_384,
    'operations that this node coordinates at once; more answer 503 OVERLOADED',
  ),
  'replication.replicaInFlightMax': setting<number>(
    whole(1, 1_000_000),
    16_384,
    'requests of this node that wait for one replica; more count as if it were out of reach',
  ),
  'replication.replicaInFlightBytesMax': setting<number>(
    bytes(MIB, 16 * 1024 * MIB),
    64 * MIB,
    'bytes of requests of this node that wait for one replica',
  ),
  'replication.frameBytesMax': setting<number>(
    bytes(4096, 16 * MIB),
    262_144,
    'bytes of requests or answers that share a frame; a larger one is a frame of its own',
  ),
  'replication.hedgeMsMin': setting<number>(
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

  'hints.bytesMax': setting<number>(
    bytes(0, 1024 * 1024 * MIB),
    256 * MIB,
    'bytes of writes that are kept for owners that are down; more are left to anti-entropy',
  ),
  'hints.ageMsMax': setting<number>(ms(1000, 604_800_000), 10_800_000, 'age after which a hint is dropped'),
  'hints.replayBytesPerSecond': setting<number>(
    bytes(1024, 16 * 1024 * MIB),
    16 * MIB,
    'rate at which hints are replayed to an owner that is back',
  ),

  'antiEntropy.intervalMs': setting<number>(
    ms(10, 3_600_000),
    3000,
    'time between comparisons of the roots with each member that shares partitions',
  ),
  'antiEntropy.roundIntervalMs': setting<number>(
    ms(10, 86_400_000),
    10_000,
    'shortest time between rounds of a partition that has something to collect',
  ),
  'antiEntropy.bytesPerSecond': setting<number>(
    bytes(1024, 16 * 1024 * MIB),
    16 * MIB,
    'rate at which differing records are sent to one member',
  ),

  'moves.bytesPerSecond': setting<number>(
    bytes(1024, 16 * 1024 * MIB),
    64 * MIB,
    'rate at which the records of partitions that move come from one member',
  ),
  'moves.bytesPerSecondMin': setting<number>(
    bytes(1024, 16 * 1024 * MIB),
    MIB / 2,
    'rate at which a member fills up at least, however slow requests are',
  ),
  'moves.latencyTargetMs': setting<number>(
    ms(1, 60_000),
    20,
    'p99 of requests at the giving and the receiving node, above which moves go slower',
  ),
  'moves.partitionsMax': setting<number>(
    whole(1, 64),
    4,
    'partitions that this node fills, or synchronises, at the same time',
  ),

  'gossip.periodMs': setting<number>(ms(10, 60_000), 1000, 'time between probes of other members'),
  'gossip.probeTimeoutMs': setting<number>(
    ms(5, 60_000),
    300,
    'time for a direct answer, before others are asked to probe',
  ),

  'http.host': setting<string>(z.string().min(1), '127.0.0.1', 'address that the HTTP interface listens on'),
  'http.port': setting<number>(port, 7400, 'port of the HTTP interface; 0 takes a free one'),
  'http.advertise': setting<string>(
    httpAddress,
    '',
    'where clients reach this node, host:port, with https:// before it where they must speak TLS to something else; empty takes what it listens on',
  ),
  'http.tlsCert': setting<string>(
    z.string(),
    '',
    'PEM file of the certificate, with those between it and the authority; with http.tlsKey the HTTP interface speaks TLS only',
  ),
  'http.tlsKey': setting<string>(z.string(), '', 'PEM file of the private key of http.tlsCert'),
  'http.tokensFile': setting<string>(
    z.string(),
    '',
    'YAML file of the tokens that are accepted, with their roles; empty lets everybody in. It is read again when it changes, as the PEM files are',
  ),
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
  'http.remoteStop': setting<z.infer<typeof onOffAuto>>(
    onOffAuto,
    'auto',
    'whether POST /v1/nodes/NAME:stop stops this node: auto is on where http.host is a loopback address or tokens are needed (http.tokensFile), and off elsewhere, since anybody who reaches the port may ask',
  ),

  'resp.enabled': setting<boolean>(flag, true, 'whether clients of Redis are served'),
  'resp.host': setting<string>(
    z.string().min(1),
    '127.0.0.1',
    'address that the RESP interface, the one for clients of Redis, listens on',
  ),
  'resp.port': setting<number>(port, 6379, 'port of the RESP interface; 0 takes a free one'),
  'resp.advertise': setting<string>(
    address,
    '',
    'where clients of Redis reach this node, host:port, as CLUSTER SLOTS tells it; empty takes the host of http.advertise, or what it listens on',
  ),
  'resp.redirect': setting<z.infer<typeof redirect>>(
    redirect,
    'never',
    'what a client is told that asks a node which does not hold the key: never is the answer itself; owner is MOVED to the node to ask now and then, for clients in cluster mode only',
  ),
  'resp.connectionsMax': setting<number>(
    whole(1, 1_000_000),
    10_000,
    'open connections of Redis clients; more are refused',
  ),
  'resp.pipelineMax': setting<number>(
    whole(1, 100_000),
    1024,
    'commands of one connection that are under way at once; those behind them wait',
  ),
  'resp.inFlightBytesMax': setting<number>(
    bytes(MIB, 64 * 1024 * MIB),
    256 * MIB,
    'bytes of requests and replies held at once; more commands answer OOM',
  ),
  'resp.requestBytesMax': setting<number>(
    bytes(65_536, 512 * MIB),
    32 * MIB,
    'bytes of the arguments of one command; more costs the client its connection',
  ),
  'resp.argumentsMax': setting<number>(
    whole(16, 1_048_576),
    65_536,
    'arguments of one command; more cost the client its connection',
  ),
  'resp.outputBytesMax': setting<number>(
    bytes(65_536, 1024 * MIB),
    MIB,
    'bytes of replies that a client has not taken, above which its next commands wait',
  ),
  'resp.stallMsMax': setting<number>(
    ms(100, 3_600_000),
    30_000,
    'time for which a client may take nothing of the replies that wait for it',
  ),
  'resp.idleTimeoutMs': setting<number>(
    ms(0, 86_400_000),
    0,
    'time without a command after which a connection is closed; 0: never',
  ),
  'resp.keysMax': setting<number>(
    whole(1, 10_000_000),
    100_000,
    'keys that KEYS answers; where there are more it answers an error, and SCAN is the way',
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

  'storage.corruptRecordsMax': setting<number>(
    whole(1, 1_000_000),
    100,
    'damaged records after which a replica takes no part any more',
  ),

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
    'how far above the clock the durable bound of versions is set; up to 5 s on a slow disk',
  ),
  'clock.skewMsMax': setting<number>(
    ms(1, 60_000),
    500,
    'how far ahead of its clock a replica accepts a version',
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
