import { REDIS_VERSION } from '../redis-version.ts';
import type { RespContext } from '../resp-context.ts';

type Section = readonly [string, Readonly<Record<string, string | number>>];

/** What INFO tells, in the fields that clients and tools of Redis look at. */
export function infoSections(context: RespContext): readonly Section[] {
  const { cluster, inFlight, options, sessions } = context;
  const { name, version, engine, uptimeSeconds, processId } = context.status();
  const { node, clusterId = '', epoch, members } = cluster.status();
  return [
    [
      'Server',
      {
        redis_version: REDIS_VERSION,
        redis_mode: 'cluster',
        server_name: 'kvorum',
        kvorum_version: version,
        kvorum_node: name,
        process_id: processId,
        tcp_port: context.port,
        uptime_in_seconds: uptimeSeconds,
        uptime_in_days: Math.floor(uptimeSeconds / 86_400),
        storage_engine: engine,
      },
    ],
    ['Clients', { connected_clients: sessions.size, maxclients: options.connectionsMax, blocked_clients: 0 }],
    ['Memory', { kvorum_in_flight_bytes: inFlight.bytes }],
    ['Persistence', { loading: 0, aof_enabled: 1, rdb_bgsave_in_progress: 0, aof_last_write_status: 'ok' }],
    ['Stats', { kvorum_in_flight_commands: inFlight.commands }],
    ['Replication', { role: 'master', connected_slaves: 0, master_repl_offset: 0 }],
    [
      'Cluster',
      {
        cluster_enabled: 1,
        kvorum_state: node.state,
        kvorum_cluster_id: clusterId,
        kvorum_epoch: epoch,
        kvorum_members: members.total,
        kvorum_members_alive: members.alive,
      },
    ],
    ['Keyspace', {}],
  ];
}
