import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type Server as TlsServer,
} from 'node:tls';
import { formatAddress } from '../../peer/address.ts';
import { encodeBody } from '../../peer/codec.ts';
import { HEADER_BYTES, writeHeader } from '../../peer/frame.ts';
import type { HelloRefusal } from '../../peer/messages.ts';
import type { TcpEvents, TcpOptions } from './options.ts';
import { explain } from './socket-error.ts';
import type { TlsSource } from './tls-source.ts';

export type ListenerDeps = {
  readonly tls: TlsSource | undefined;
  readonly events: TcpEvents;
  /** Whether one more connection may be. */
  hasRoom(): boolean;
  /** A connection, with TLS done where it is used. */
  onSocket(socket: Socket, address: string): void;
  onRefused(address: string, refusal: HelloRefusal): void;
};

/** Accepts connections. Those that are not links yet count too, so that nobody can pile them up. */
export class Listener {
  readonly #options: TcpOptions;
  readonly #deps: ListenerDeps;
  readonly #server: Server;
  readonly #tlsServer: TlsServer | undefined;
  /** Connections that are still busy with TLS, by their remote address. */
  readonly #securing = new Map<string, Socket>();
  #contextInUse: SecureContextOptions | undefined;

  constructor(options: TcpOptions, deps: ListenerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#server = createServer((socket) => this.#onConnection(socket));
    this.#tlsServer = deps.tls === undefined ? undefined : this.#createTlsServer();
  }

  get securing(): number {
    return this.#securing.size;
  }

  /** Resolves with where it listens. Rejects where it cannot. */
  listen(): Promise<string> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        // Accepting may fail later, e.g. for want of file descriptors: that connection is lost, nothing else.
        this.#server.on('error', (error) => this.#deps.events.onProtocolError('listener', error.message));
        const address = this.#server.address() as AddressInfo;
        resolve(formatAddress({ host: address.address, port: address.port }));
      });
    });
  }

  /** Accepts no more. Resolves once every connection has ended. */
  close(): Promise<void> {
    for (const socket of this.#securing.values()) socket.destroy();
    return new Promise((resolve) => {
      if (!this.#server.listening) return resolve();
      this.#server.close(() => resolve());
    });
  }

  #onConnection(socket: Socket): void {
    const address = formatAddress({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 });
    socket.on('error', () => {});
    if (!this.#deps.hasRoom()) {
      this.#refuse(socket, address);
      return;
    }
    if (this.#tlsServer === undefined) {
      this.#deps.onSocket(socket, address);
      return;
    }
    this.#securing.set(address, socket);
    socket.once('close', () => this.#securing.delete(address));
    this.#secure(socket).catch((error: Error) => {
      this.#deps.events.onProtocolError(address, error.message);
      socket.destroy();
    });
  }

  async #secure(socket: Socket): Promise<void> {
    const tlsServer = this.#tlsServer as TlsServer;
    const options = await (this.#deps.tls as TlsSource).options();
    if (options !== this.#contextInUse) tlsServer.setSecureContext(options);
    this.#contextInUse = options;
    tlsServer.emit('connection', socket);
  }

  #createTlsServer(): TlsServer {
    const server = createTlsServer({
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      handshakeTimeout: this.#options.connectTimeoutMs,
    });
    server.on('secureConnection', (socket) => {
      const { remoteAddress: host = 'unknown', remotePort: port = 0 } = socket;
      const address = formatAddress({ host, port });
      this.#securing.delete(address);
      this.#deps.onSocket(socket, address);
    });
    server.on('tlsClientError', (error, socket) => {
      const { remoteAddress: host = 'unknown', remotePort: port = 0 } = socket;
      this.#deps.events.onProtocolError(formatAddress({ host, port }), explain(error));
      socket.destroy();
    });
    return server;
  }

  /** Without TLS the other side is told; with it that would cost what there is too little of. */
  #refuse(socket: Socket, address: string): void {
    const { linksMax } = this.#options;
    const message = `this node has ${linksMax} peer connections, the most that peer.linksMax allows; try later`;
    const refusal: HelloRefusal = { code: 'OVERLOADED', message };
    this.#deps.onRefused(address, refusal);
    if (this.#tlsServer !== undefined) {
      socket.destroy();
      return;
    }
    socket.end(refusalFrame(refusal), () => socket.destroySoon());
    socket.setTimeout(this.#options.closeGraceMs, () => socket.destroy());
    socket.resume();
  }
}

function refusalFrame(refusal: HelloRefusal): Uint8Array {
  const payload = encodeBody(refusal);
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(
    { kind: 'hello-refused', lane: 'urgent', hasMore: false, correlation: 0 },
    payload.length,
    frame,
  );
  frame.set(payload, HEADER_BYTES);
  return frame;
}
