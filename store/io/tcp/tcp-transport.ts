import { once } from 'node:events';
import type { Socket } from 'node:net';
import { encodeBody, frameMessage } from '../../peer/codec.ts';
import { laneOfMessage, laneOfRequest } from '../../peer/lanes.ts';
import type { PeerMessage, PeerReply, PeerRequest } from '../../peer/messages.ts';
import {
  type LinkStatus,
  PeerError,
  type RequestOptions,
  type Transport,
  type TransportHandlers,
} from '../../ports/transport.ts';
import { Link } from './link.ts';
import { Listener } from './listener.ts';
import { openSocket } from './open-socket.ts';
import type { TcpDeps, TcpOptions } from './options.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import { Peer } from './peer.ts';
import { outgoing } from './send-queue.ts';
import { TlsSource } from './tls-source.ts';

/**
 * The transport over TCP (docs/protocol.md). Each node sends over the link that it dialled itself, and answers on the
 * link that it was asked on: a pair that talks both ways has one link for each way. So there is never a duplicate to
 * choose from, and what is sent to an address reaches whoever listens there, not whoever says that it does. Only until
 * its own link is open does it send over the one that the node of that address made.
 */
export class TcpTransport implements Transport {
  readonly #options: TcpOptions;
  readonly #deps: TcpDeps;
  readonly #peers = new Map<string, Peer>();
  readonly #accepted = new Set<Link>();
  /** Connections that this node dialled and that have not ended yet. */
  readonly #sockets = new Set<Socket>();
  #listener: Listener | undefined;
  #tls: TlsSource | undefined;
  #handlers: TransportHandlers | undefined;
  #address: string | undefined;
  #isClosed = false;

  constructor(options: TcpOptions, deps: TcpDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get address(): string {
    if (this.#address === undefined) throw new Error('the transport has not started: it has no address yet');
    return this.#address;
  }

  async start(handlers: TransportHandlers): Promise<void> {
    if (this.#handlers !== undefined) throw new Error('the transport was started before');
    this.#handlers = handlers;
    const { tls } = this.#options;
    const { events } = this.#deps;
    if (tls !== undefined)
      this.#tls = await TlsSource.open(tls, (message) => events.onTlsFilesError(message));
    this.#listener = new Listener(this.#options, {
      tls: this.#tls,
      events,
      hasRoom: () => this.#hasRoom(),
      onSocket: (socket, address) => this.#accept(socket, address),
      onRefused: (address, refusal) => handlers.onRefused(address, 'us', refusal, undefined),
    });
    const listening = await this.#listener.listen();
    this.#address = this.#options.advertise || listening;
  }

  send(address: string, message: PeerMessage): boolean {
    if (this.#isClosed) return false;
    const { kind, payload } = frameMessage(message);
    return this.#peer(address).send(outgoing(kind, laneOfMessage(message), payload));
  }

  request(address: string, request: PeerRequest, options: RequestOptions): Promise<PeerReply> {
    if (this.#isClosed) {
      return Promise.reject(new PeerError('CLOSED', 'this node is stopping', { isUnsent: true }));
    }
    const payload = encodeBody(request);
    const lane = laneOfRequest(request);
    const pending = new OutgoingRequest({ ...options, address, payload, lane }, this.#deps);
    if (!pending.isDone) this.#peer(address).request(pending);
    return pending.promise;
  }

  reset(): void {
    const reason = 'this node says hello anew';
    for (const link of [...this.#accepted]) link.end(reason);
    this.#closePeers(reason, 'UNREACHABLE');
  }

  links(): readonly LinkStatus[] {
    const dialled = [...this.#peers.values()]
      .map((peer) => peer.status)
      .filter((status) => status !== undefined);
    const accepted = [...this.#accepted].flatMap((link) => statusOf(link) ?? []);
    return merge([...dialled, ...accepted]);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const reason = 'this node is stopping';
    this.#closePeers(reason, 'CLOSED');
    for (const link of [...this.#accepted]) link.end(reason, 'CLOSED');
    await this.#listener?.close();
    await Promise.all([...this.#sockets].map((socket) => once(socket, 'close')));
  }

  #closePeers(reason: string, code: PeerError['code']): void {
    const peers = [...this.#peers.values()];
    this.#peers.clear();
    for (const peer of peers) peer.close(reason, code);
  }

  #peer(address: string): Peer {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    const handlers = this.#handlers;
    if (handlers === undefined) throw new Error('the transport must be started before anything is sent');
    const peer: Peer = new Peer(
      { ...this.#options, address },
      {
        ...this.#deps,
        handlers,
        hasRoom: () => this.#hasRoom(),
        openSocket: (target, signal) => this.#openSocket(target, signal),
        acceptedLink: () => this.#acceptedFrom(address),
        onIdle: () => this.#forget(peer),
      },
    );
    this.#peers.set(address, peer);
    return peer;
  }

  #forget(peer: Peer): void {
    if (this.#peers.get(peer.address) === peer) this.#peers.delete(peer.address);
  }

  #acceptedFrom(address: string): Link | undefined {
    for (const link of this.#accepted) if (link.isOpen && link.peer?.peerAddress === address) return link;
    return undefined;
  }

  async #openSocket(address: string, signal: AbortSignal): Promise<Socket> {
    const socket = await openSocket(address, this.#tls, signal);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #hasRoom(): boolean {
    const dialled = [...this.#peers.values()].filter((peer) => peer.hasConnection).length;
    const securing = this.#listener?.securing ?? 0;
    return !this.#isClosed && dialled + this.#accepted.size + securing < this.#options.linksMax;
  }

  #accept(socket: Socket, address: string): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    const { events } = this.#deps;
    const link: Link = new Link(
      { ...this.#options, address, role: 'listener' },
      {
        ...this.#deps,
        socket,
        handlers: this.#handlers as TransportHandlers,
        onOpen: ({ peerAddress }) => this.#peers.get(peerAddress)?.wake(link),
        onEnd: (end) => {
          this.#accepted.delete(link);
          if (end.isProtocolError) events.onProtocolError(address, end.reason);
          if (end.wasOpen) events.onLinkClosed(address, end.reason);
          if (end.wasOpen && link.peer !== undefined) this.#handlers?.onUnlink?.(link.peer.peerAddress);
        },
      },
    );
    this.#accepted.add(link);
  }
}

function statusOf(link: Link): LinkStatus | undefined {
  if (link.peer === undefined) return undefined;
  return {
    ...link.status,
    address: link.peer.peerAddress,
    name: link.peer.name,
    state: link.isOpen ? 'open' : 'connecting',
  };
}

/** One line per address: the link that was dialled, and the bytes of both ways. */
function merge(statuses: readonly LinkStatus[]): readonly LinkStatus[] {
  const byAddress = new Map<string, LinkStatus>();
  for (const status of statuses) {
    const first = byAddress.get(status.address);
    byAddress.set(status.address, first === undefined ? status : sum(first, status));
  }
  return [...byAddress.values()];
}

function sum(first: LinkStatus, second: LinkStatus): LinkStatus {
  return {
    address: first.address,
    name: first.name ?? second.name,
    state: first.state === 'open' || second.state === 'open' ? 'open' : 'connecting',
    queuedBytes: first.queuedBytes + second.queuedBytes,
    sentBytes: first.sentBytes + second.sentBytes,
    receivedBytes: first.receivedBytes + second.receivedBytes,
    dropped: first.dropped + second.dropped,
    roundTripMs: first.roundTripMs ?? second.roundTripMs,
  };
}
