import { initialPartitions } from './partitions.ts';
import { respAddressPart } from './resp-address.ts';
import {
  type Announcement,
  type Incarnation,
  type Member,
  type TopologyNamespace,
  type TopologySettings,
  type TopologyState,
  toEpoch,
} from './types.ts';

/** The namespace that every cluster has from the start, and that cannot be dropped. */
export const DEFAULT_NAMESPACE = 'default';

export type GenesisOptions = {
  /** 32 hexadecimal digits. */
  readonly clusterId: string;
  readonly settings: TopologySettings;
  readonly createdAtMs: number;
  /** The node that makes the cluster, in the life in which it does. */
  readonly first: Announcement &
    Incarnation & { readonly name: string; readonly directoryId: string; readonly weight: number };
};

/**
 * The topology of a new cluster: one member, which is up. With a replication factor of 1 it owns all partitions at
 * once; else they wait for `place-partitions`, since a set that is too small would acknowledge writes on one disk.
 */
export function createTopology({ clusterId, settings, createdAtMs, first }: GenesisOptions): TopologyState {
  const epoch = toEpoch(1);
  const { name, directoryId, weight, incarnation, life, peerAddress, httpAddress, zone, version } = first;
  const announcement = { peerAddress, httpAddress, zone, version, ...respAddressPart(first) };
  const identity = { number: 1, name, directoryId, weight, incarnation, life };
  const member: Member = {
    ...identity,
    ...announcement,
    state: 'up',
    isDraining: false,
    zoneReplaced: undefined,
  };
  const namespace: TopologyNamespace = { name: DEFAULT_NAMESPACE, id: 1, consistency: 'quorum', createdAtMs };
  return {
    clusterId,
    epoch,
    settings,
    members: new Map([[member.number, member]]),
    nextMember: 2,
    partitions: settings.replicationFactor === 1 ? initialPartitions(settings.partitions, [1], epoch) : [],
    namespaces: new Map([[namespace.name, namespace]]),
    nextNamespaceId: 2,
    operations: [],
    stopLeases: [],
  };
}
