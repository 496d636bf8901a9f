import type { Hello, HelloRefusal, PeerMessage, PeerReply, PeerRequest } from '../peer/messages.ts';

/**
 * Links between nodes, one per pair, made when they are first needed and again when they break. A link opens with a
 * handshake: both sides say `hello`, and either may refuse. Whoever sends must not depend on delivery: a message may
 * be lost, come twice or late; a request that is not answered has an unknown outcome.
 */
export type Transport = {
  /** Begins to listen and to serve; called once, before anything is sent. Rejects where it cannot listen. */
  start(handlers: TransportHandlers): Promise<void>;
  /** Where others reach this node (`host:port`), known once `start` has resolved. */
  readonly address: string;
  /** False for a message that cannot be sent: it is dropped and counted. True promises nothing. */
  send(address: string, message: PeerMessage): boolean;
  /** Rejects with PeerError; the outcome is unknown unless its `isUnsent` says that nothing left this node. */
  request(address: string, request: PeerRequest, options: RequestOptions): Promise<PeerReply>;
  /** Breaks every link, so that both sides say hello again: this node's identity, or what it knows, has changed. */
  reset(): void;
  links(): readonly LinkStatus[];
  close(): Promise<void>;
};

export type RequestOptions = { readonly timeoutMs: number; readonly signal: AbortSignal };

export type TransportHandlers = {
  /** What this node says of itself on a new link. */
  hello(): Hello;
  /** Whether a link to the node that said `hello` may be; undefined lets it. */
  judge(hello: Hello): HelloRefusal | undefined;
  /** A batch is not checked yet: a ProtocolError that is thrown here costs the link it came over. */
  onMessage(from: Hello, message: PeerMessage): void;
  onRequest(from: Hello, request: PeerRequest, signal: AbortSignal): Promise<PeerReply>;
  /** A handshake ended well. */
  onLink(peer: Hello): void;
  /** A link to or from `address` ended, or could not be made: what was on its way may be lost. */
  onUnlink?(address: string): void;
  /** A handshake was refused, by this node or by the other. */
  onRefused(address: string, by: 'us' | 'them', refusal: HelloRefusal, peer: Hello | undefined): void;
};

export type LinkStatus = {
  readonly address: string;
  readonly name: string | undefined;
  readonly state: 'connecting' | 'open';
  readonly queuedBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly dropped: number;
  /** The last heartbeat's; undefined before the first. */
  readonly roundTripMs: number | undefined;
};

export class PeerError extends Error {
  override readonly name = 'PeerError';
  readonly code: 'UNREACHABLE' | 'TIMEOUT' | 'REFUSED' | 'OVERLOADED' | 'ABORTED' | 'CLOSED';
  /** Nothing left this node. */
  readonly isUnsent: boolean;

  constructor(code: PeerError['code'], message: string, { isUnsent }: { readonly isUnsent: boolean }) {
    super(message);
    this.code = code;
    this.isUnsent = isUnsent;
  }
}
