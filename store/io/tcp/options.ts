import type { Config } from '../../config/settings.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { type TlsFiles, tlsFiles } from './tls-files.ts';

/** The settings `peer.*`, and what has no setting. Times are milliseconds. */
export type TcpOptions = {
  readonly host: string;
  readonly port: number;
  /** Where others reach this node; empty takes what it listens on. */
  readonly advertise: string;
  readonly frameBytesMax: number;
  readonly queueBytesMax: number;
  readonly linksMax: number;
  readonly heartbeatMs: number;
  readonly idleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly reconnectMsMax: number;
  /** A link that this node dialled and did not use for this long is closed. */
  readonly unusedMsMax: number;
  /** Time for what is queued to leave when the transport is closed. */
  readonly closeGraceMs: number;
  readonly tls: TlsFiles | undefined;
};

/** Throws where only some of the TLS files are named. */
export function tcpOptions(config: Config): TcpOptions {
  return {
    host: config['peer.host'],
    port: config['peer.port'],
    advertise: config['peer.advertise'],
    frameBytesMax: config['peer.frameBytesMax'],
    queueBytesMax: config['peer.queueBytesMax'],
    linksMax: config['peer.linksMax'],
    heartbeatMs: config['peer.heartbeatMs'],
    idleTimeoutMs: config['peer.idleTimeoutMs'],
    connectTimeoutMs: config['peer.connectTimeoutMs'],
    reconnectMsMax: config['peer.reconnectMsMax'],
    unusedMsMax: 60_000,
    closeGraceMs: 500,
    tls: tlsFiles(config['peer.tlsCert'], config['peer.tlsKey'], config['peer.tlsCa']),
  };
}

/** What happens to links, for the log and the metrics. Handshake refusals go to the transport's handlers. */
export type TcpEvents = {
  /** A connection was ended because of what came over it. */
  onProtocolError(address: string, message: string): void;
  /** A node that was wanted could not be reached; it is tried again while it is wanted. */
  onUnreachable(address: string, message: string): void;
  /** An open link ended. */
  onLinkClosed(address: string, reason: string): void;
  /** A request was not answered, because serving it failed. */
  onRequestFailed(address: string, error: unknown): void;
  /** A message was dropped: there was no room, or its address is out of reach. */
  onDropped(address: string): void;
  onBytes(direction: 'sent' | 'received', bytes: number): void;
  /** The TLS files changed and cannot be used: the ones before stay in use. */
  onTlsFilesError(message: string): void;
};

export type TcpDeps = { readonly clock: Clock; readonly random: Random; readonly events: TcpEvents };
