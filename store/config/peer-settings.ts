import { z } from 'zod';
import { address, bytes, MIB, ms, port, setting, whole } from './setting.ts';

/** Links to other nodes, and the topology group. */
export const PEER_SETTINGS = {
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
} as const;

/** Who lives, as members tell each other. */
export const GOSSIP_SETTINGS = {
  'gossip.periodMs': setting<number>(ms(10, 60_000), 1000, 'time between probes of other members'),
  'gossip.probeTimeoutMs': setting<number>(
    ms(5, 60_000),
    300,
    'time for a direct answer, before others are asked to probe',
  ),
} as const;
