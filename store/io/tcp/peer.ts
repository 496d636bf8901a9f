import type { Socket } from 'node:net';
import type { Hello } from '../../peer/messages.ts';
import type { Timer } from '../../ports/clock.ts';
import type { LinkStatus, PeerError, TransportHandlers } from '../../ports/transport.ts';
import { reconnectDelayMs } from './back-off.ts';
import { Link, type LinkEnd } from './link.ts';
import type { TcpDeps, TcpOptions } from './options.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { type Outgoing, sizeOf } from './send-queue.ts';

export type PeerDeps = TcpDeps & {
  readonly handlers: TransportHandlers;
  openSocket(address: string, signal: AbortSignal): Promise<Socket>;
  /** An open link that the node at this address made itself, if there is one. */
  acceptedLink(): Link | undefined;
  /** Whether one more connection may be. */
  hasRoom(): boolean;
  /** Nobody has wanted this peer for a while and it has no link: it can be forgotten. */
  onIdle(): void;
};

type PeerState =
  | { readonly type: 'idle' }
  | { readonly type: 'connecting'; readonly abort: AbortController; link: Link | undefined }
  | { readonly type: 'open'; readonly link: Link; readonly sinceMs: number }
  /** The last attempt failed, or the link broke: the next attempt is at the timer's end. */
  | { readonly type: 'waiting'; readonly timer: Timer; readonly reason: string };

/**
 * An address that this node sends to, and its link there. What is sent before the link is open waits for it, within
 * `queueBytesMax`; while the address is known to be out of reach messages are dropped and requests wait for the next
 * attempt. Where the other side has made a link meanwhile, it carries both ways: the address may be a name that still leads to
 * where the node was before, and an attempt there hangs. Attempts end when nobody has wanted the address for `idleTimeoutMs`.
 */
export class Peer {
  readonly address: string;
  readonly #options: TcpOptions;
  readonly #deps: PeerDeps;
  #state: PeerState = { type: 'idle' };
  #failures = 0;
  #wantedAtMs: number;
  #held: (Outgoing | OutgoingRequest)[] = [];
  #heldBytes = 0;
  #unusedTimer: Timer | undefined;
  /** Of links that have ended. */
  #past = { sentBytes: 0, receivedBytes: 0, dropped: 0 };
  #name: string | undefined;
  /** Why it could not be reached the last time: the same reason is told once. */
  #toldReason: string | undefined;

  constructor(options: TcpOptions & { readonly address: string }, deps: PeerDeps) {
    this.address = options.address;
    this.#options = options;
    this.#deps = deps;
    this.#wantedAtMs = deps.clock.monotonicMs();
  }

  /** False where it was dropped. */
  send(item: Outgoing): boolean {
    this.#wantedAtMs = this.#deps.clock.monotonicMs();
    if (this.#isTooLarge(item)) return this.#drop();
    const link = this.#openLink();
    if (link !== undefined) return link.send(item);
    if (this.#state.type === 'waiting' || !this.#hold(item)) return this.#drop();
    if (this.#state.type === 'idle') this.#connect();
    return true;
  }

  request(request: OutgoingRequest): void {
    this.#wantedAtMs = this.#deps.clock.monotonicMs();
    const { frameBytesMax, queueBytesMax } = this.#options;
    if (this.#isTooLarge(request)) {
      const bytes = request.payload.length;
      request.fail(
        'OVERLOADED',
        `a request of ${bytes} bytes; at most ${frameBytesMax} (peer.frameBytesMax)`,
      );
      return;
    }
    const link = this.#openLink();
    if (link !== undefined) {
      link.request(request);
      return;
    }
    if (!this.#hold(request)) {
      const reason = `more than ${queueBytesMax} bytes wait for ${this.address} (peer.queueBytesMax)`;
      request.fail('OVERLOADED', reason);
      return;
    }
    if (this.#state.type === 'idle') this.#connect();
  }

  /** The node there has just made a link to this one: what waits goes that way, and the next attempt waits no longer. */
  wake(accepted: Link): void {
    this.#sendHeld(accepted);
    if (this.#state.type !== 'waiting') return;
    this.#state.timer.cancel();
    this.#failures = 0;
    this.#retry();
  }

  /** The other side would end the link over it. */
  #isTooLarge({ payload }: Outgoing | OutgoingRequest): boolean {
    return payload.length > this.#options.frameBytesMax;
  }

  #drop(): false {
    this.#past.dropped += 1;
    this.#deps.events.onDropped(this.address);
    return false;
  }

  get status(): LinkStatus | undefined {
    const { type } = this.#state;
    if (type === 'idle' && this.#past.dropped === 0) return undefined;
    const link = this.#link;
    const now = link?.status;
    return {
      address: this.address,
      name: this.#name,
      state: type === 'open' ? 'open' : 'connecting',
      queuedBytes: this.#heldBytes + (now?.queuedBytes ?? 0),
      sentBytes: this.#past.sentBytes + (now?.sentBytes ?? 0),
      receivedBytes: this.#past.receivedBytes + (now?.receivedBytes ?? 0),
      dropped: this.#past.dropped + (now?.dropped ?? 0),
      roundTripMs: now?.roundTripMs,
    };
  }

  get hasConnection(): boolean {
    return this.#state.type === 'connecting' || this.#state.type === 'open';
  }

  /** Ends the link, so that the next use makes a new one. */
  close(reason: string, code: PeerError['code']): void {
    const state = this.#state;
    this.#state = { type: 'idle' };
    this.#failures = 0;
    this.#unusedTimer?.cancel();
    if (state.type === 'waiting') state.timer.cancel();
    if (state.type === 'connecting') state.abort.abort(new Error(reason));
    const link = state.type === 'connecting' || state.type === 'open' ? state.link : undefined;
    link?.end(reason, code);
    this.#failHeld(code, reason);
    if (state.type === 'connecting' || state.type === 'open') this.#deps.handlers.onUnlink?.(this.address);
  }

  get #link(): Link | undefined {
    const state = this.#state;
    return state.type === 'connecting' || state.type === 'open' ? state.link : undefined;
  }

  /** Begins to dial where only the other side's link is open. */
  #openLink(): Link | undefined {
    if (this.#state.type === 'open') return this.#state.link;
    const accepted = this.#deps.acceptedLink();
    if (accepted !== undefined && this.#state.type === 'idle') this.#connect();
    return accepted;
  }

  #hold(item: Outgoing | OutgoingRequest): boolean {
    const bytes = sizeOf(item);
    if (this.#heldBytes > 0 && this.#heldBytes + bytes > this.#options.queueBytesMax) return false;
    this.#held.push(item);
    this.#heldBytes += bytes;
    return true;
  }

  #takeHeld(): (Outgoing | OutgoingRequest)[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held.filter((item) => !('promise' in item) || !item.isDone);
  }

  #failHeld(code: PeerError['code'], reason: string): void {
    for (const item of this.#takeHeld()) {
      if ('promise' in item) item.fail(code, `${this.address}: ${reason}`);
      else this.#drop();
    }
  }

  #connect(): void {
    if (!this.#deps.hasRoom()) {
      const { linksMax } = this.#options;
      this.#failed(`this node has ${linksMax} peer connections (peer.linksMax)`, 'OVERLOADED');
      return;
    }
    const state = { type: 'connecting', abort: new AbortController(), link: undefined } as const;
    this.#state = state;
    this.#dial(state).catch((error: Error) => {
      if (this.#state === state) this.#unreachable(error.message);
    });
  }

  async #dial(state: Extract<PeerState, { type: 'connecting' }>): Promise<void> {
    const { clock, openSocket } = this.#deps;
    const { connectTimeoutMs } = this.#options;
    const timer = clock.setTimer(connectTimeoutMs, () => {
      state.abort.abort(new Error(`no connection within ${connectTimeoutMs} ms (peer.connectTimeoutMs)`));
    });
    try {
      const socket = await openSocket(this.address, state.abort.signal);
      if (this.#state === state) state.link = this.#createLink(socket);
      else socket.destroy();
    } finally {
      timer.cancel();
    }
  }

  #createLink(socket: Socket): Link {
    const link: Link = new Link(
      { ...this.#options, address: this.address, role: 'dialler' },
      {
        ...this.#deps,
        socket,
        onOpen: (hello) => this.#onOpen(link, hello),
        onEnd: (end) => this.#onEnd(link, end),
      },
    );
    return link;
  }

  #onOpen(link: Link, hello: Hello): void {
    if (this.#link !== link) {
      link.end('not wanted any more');
      return;
    }
    this.#name = hello.name;
    this.#toldReason = undefined;
    this.#state = { type: 'open', link, sinceMs: this.#deps.clock.monotonicMs() };
    this.#sendHeld(link);
    this.#watchUse();
  }

  #sendHeld(link: Link): void {
    for (const item of this.#takeHeld()) {
      if ('promise' in item) link.request(item);
      else link.send(item);
    }
  }

  #onEnd(link: Link, end: LinkEnd): void {
    this.#past.sentBytes += link.status.sentBytes;
    this.#past.receivedBytes += link.status.receivedBytes;
    this.#past.dropped += link.status.dropped;
    if (end.isProtocolError) this.#deps.events.onProtocolError(this.address, end.reason);
    if (end.wasOpen) this.#deps.events.onLinkClosed(this.address, end.reason);
    if (this.#link !== link) return;
    this.#forgiveAfterGoodLink();
    if (end.wasOpen || end.code === 'REFUSED') this.#failed(end.reason, end.code);
    else this.#unreachable(end.reason);
  }

  /** A link that held for a while shows that the peer is well: the next attempt is an early one. */
  #forgiveAfterGoodLink(): void {
    const state = this.#state;
    if (state.type !== 'open') return;
    const heldMs = this.#deps.clock.monotonicMs() - state.sinceMs;
    if (heldMs >= this.#options.reconnectMsMax) this.#failures = 0;
  }

  #unreachable(reason: string): void {
    if (reason !== this.#toldReason) this.#deps.events.onUnreachable(this.address, reason);
    this.#toldReason = reason;
    this.#failed(reason, 'UNREACHABLE');
  }

  #failed(reason: string, code: PeerError['code']): void {
    const wasOpen = this.#state.type === 'open';
    this.#unusedTimer?.cancel();
    const { clock, random } = this.#deps;
    const delayMs = reconnectDelayMs(this.#failures, this.#options.reconnectMsMax, random);
    this.#failures += 1;
    this.#state = { type: 'waiting', reason, timer: clock.setTimer(delayMs, () => this.#retry()) };
    this.#failHeld(code, reason);
    // Over a link that the other side made nothing is lost by an attempt that failed.
    if (wasOpen || this.#deps.acceptedLink() === undefined) this.#deps.handlers.onUnlink?.(this.address);
  }

  #retry(): void {
    this.#state = { type: 'idle' };
    const unwantedMs = this.#deps.clock.monotonicMs() - this.#wantedAtMs;
    if (this.#held.length > 0 || unwantedMs < this.#options.idleTimeoutMs) this.#connect();
    else this.#deps.onIdle();
  }

  #watchUse(): void {
    const { unusedMsMax } = this.#options;
    const unusedMs = this.#deps.clock.monotonicMs() - this.#wantedAtMs;
    if (unusedMs >= unusedMsMax) {
      this.close('nothing was sent for a while', 'UNREACHABLE');
      this.#deps.onIdle();
      return;
    }
    this.#unusedTimer = this.#deps.clock.setTimer(unusedMsMax - unusedMs + 1, () => this.#watchUse());
  }
}
