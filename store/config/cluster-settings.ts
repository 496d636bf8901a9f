import { z } from 'zod';
import { flag, liveSetting, ms, setting, whole } from './setting.ts';

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
const clusterId = z.string().regex(/^([0-9a-f]{32})?$/, '32 hexadecimal digits, or nothing');
const zone = z
  .string()
  .regex(/^[A-Za-z0-9._-]{0,63}$/, 'at most 63 letters, digits, dots, hyphens and underscores');
/** A list in the file; elsewhere text with commas between. */
const addresses = z.array(z.string().regex(/^\S+:\d{1,5}$/, 'each host:port')).max(100) as z.ZodType<
  readonly string[]
>;

/** What tells this node apart. */
export const NODE_SETTINGS = {
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
} as const;

/** The cluster that it makes or joins. */
export const CLUSTER_SETTINGS = {
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
  'cluster.rebalance': liveSetting<boolean>(
    flag,
    true,
    'while this node leads, partitions are moved to members that have joined, and away from those that are gone for good',
  ),
  'cluster.rebalanceAfterMs': liveSetting<number>(
    ms(0, 3_600_000),
    5000,
    'time for which members must neither come nor go before partitions begin to move',
  ),
  'cluster.replaceMemberAfterMs': liveSetting<number>(
    ms(1000, 30 * 86_400_000),
    600_000,
    'time after which the partitions of a member that is down are given to others',
  ),
  'cluster.replaceVoterAfterMs': liveSetting<number>(
    ms(100, 86_400_000),
    60_000,
    'time after which a voter that is gone gives its vote to another member',
  ),
  'cluster.requestTimeoutMs': setting<number>(
    ms(100, 600_000),
    10_000,
    'time for a change or a read of the topology, also through the leader',
  ),
} as const;
