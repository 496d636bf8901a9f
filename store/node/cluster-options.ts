import type { ClusterNodeOptions } from '../cluster/cluster-node-options.ts';
import { settingsAs } from '../config/live-config.ts';
import type { Config } from '../config/settings.ts';
import { KVORUM_VERSION } from '../version.ts';

/** The settings of a node that its cluster side needs, by their names there. */
export function clusterOptions(config: Config): ClusterNodeOptions {
  const respAddress = respAddressOf(config);
  return {
    name: config['node.name'],
    weight: config['node.weight'],
    announcement: {
      httpAddress: httpAddressOf(config),
      ...(respAddress !== undefined && { respAddress }),
      zone: config['node.zone'],
      version: KVORUM_VERSION,
    },
    bootstrap: config['cluster.bootstrap'],
    clusterId: config['cluster.id'],
    replicationFactor: config['cluster.replicationFactor'],
    partitions: config['cluster.partitions'],
    seeds: config['cluster.seeds'],
    seedIntervalMs: config['cluster.seedIntervalMs'],
    requestTimeoutMs: config['cluster.requestTimeoutMs'],
    voting: settingsAs(config, {
      votersMax: 'cluster.votersMax',
      replaceAfterMs: 'cluster.replaceVoterAfterMs',
    }),
    initialMembers: config['cluster.initialMembers'],
    automatic: settingsAs(config, {
      rebalance: 'cluster.rebalance',
      rebalanceAfterMs: 'cluster.rebalanceAfterMs',
      replaceMemberAfterMs: 'cluster.replaceMemberAfterMs',
    }),
    namespacesMax: config['limits.namespacesMax'],
    heartbeatMs: config['raft.heartbeatMs'],
    electionTimeoutMs: config['raft.electionTimeoutMs'],
    snapshotEntries: config['raft.snapshotEntries'],
    entriesKept: config['raft.entriesKept'],
    gossipPeriodMs: config['gossip.periodMs'],
    gossipProbeTimeoutMs: config['gossip.probeTimeoutMs'],
  };
}

/** Where clients of Redis reach this node, `host:port`; undefined where it serves none. */
export function respAddressOf(
  config: Pick<Config, 'resp.enabled' | 'resp.advertise' | 'resp.host' | 'resp.port' | 'http.advertise'>,
): string | undefined {
  if (!config['resp.enabled']) return undefined;
  if (config['resp.advertise'] !== '') return config['resp.advertise'];
  // Who says by which name it is reached means the machine, and not one of its ports.
  const advertised = config['http.advertise'].replace(/^https?:\/\//, '').replace(/:\d+$/, '');
  const host = advertised || config['resp.host'];
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${config['resp.port']}`;
}

/** Where clients reach this node: `host:port`, or `https://host:port` where only TLS does. */
export function httpAddressOf(
  config: Pick<Config, 'http.advertise' | 'http.host' | 'http.port' | 'http.tlsCert'>,
): string {
  const host = config['http.host'].includes(':') ? `[${config['http.host']}]` : config['http.host'];
  const address = config['http.advertise'] || `${host}:${config['http.port']}`;
  return config['http.tlsCert'] === '' || address.includes('://') ? address : `https://${address}`;
}
