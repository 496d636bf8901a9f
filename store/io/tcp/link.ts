import type { Socket } from 'node:net';
import { decodeMessage, decodeReply, decodeRequest, encodeBody, encodeReply } from '../../peer/codec.ts';
import { type Frame, ProtocolError } from '../../peer/frame.ts';
import { laneOfReply } from '../../peer/lanes.ts';
import { REQUESTS_SERVED_MAX } from '../../peer/limits.ts';
import type { Hello, HelloRefusal, PeerReply } from '../../peer/messages.ts';
import type { Timer } from '../../ports/clock.ts';
import type { PeerError, TransportHandlers } from '../../ports/transport.ts';
import { FramedSocket } from './framed-socket.ts';
import { answerHello, greet, type HandshakeStep, takeFirstFrame } from './handshake.ts';
import type { TcpDeps, TcpOptions } from './options.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { type Outgoing, outgoing } from './send-queue.ts';

/** How a link ended: for the log, and for what its requests are told. */
export type LinkEnd = {
  readonly reason: string;
  readonly code: PeerError['code'];
  /** Bytes that break the protocol came over it. */
  readonly isProtocolError: boolean;
  readonly wasOpen: boolean;
};

export type LinkDeps = TcpDeps & {
  readonly socket: Socket;
  readonly handlers: TransportHandlers;
  onOpen(peer: Hello): void;
  /** Called once. */
  onEnd(end: LinkEnd): void;
};

type LinkState = 'greeting' | 'greeted' | 'open' | 'ending' | 'closed';

/**
 * One connection to another node, from its handshake to its end. The side that dialled sends messages and requests
 * and measures the round trip; the other side sends replies, and all else too while it has no link of its own. Either
 * gives the link up when nothing comes.
 */
export class Link {
  readonly address: string;
  readonly role: 'dialler' | 'listener';
  readonly #options: TcpOptions;
  readonly #deps: LinkDeps;
  readonly #frames: FramedSocket;
  readonly #requests = new Map<number, OutgoingRequest>();
  readonly #served = new AbortController();
  #servedCount = 0;
  #state: LinkState = 'greeting';
  #peer: Hello | undefined;
  #end: LinkEnd | undefined;
  #timer: Timer;
  /** How long this node was awake and got nothing. */
  #silentMs = 0;
  #lastTickAtMs: number;
  #nextCorrelation = 1;
  #heartbeat = { sequence: 0, sentAtMs: 0 };
  #roundTripMs: number | undefined;
  #dropped = 0;

  constructor(
    options: TcpOptions & { readonly address: string; readonly role: Link['role'] },
    deps: LinkDeps,
  ) {
    this.address = options.address;
    this.role = options.role;
    this.#options = options;
    this.#deps = deps;
    this.#lastTickAtMs = deps.clock.monotonicMs();
    this.#frames = new FramedSocket(options, {
      socket: deps.socket,
      onFrame: (frame) => this.#onFrame(frame),
      onBytes: (direction, bytes) => deps.events.onBytes(direction, bytes),
      onClosed: (error) => this.#onClosed(error),
    });
    this.#timer = deps.clock.setTimer(options.connectTimeoutMs, () => {
      this.#destroy(`no handshake within ${options.connectTimeoutMs} ms (peer.connectTimeoutMs)`);
    });
    if (this.role === 'dialler') this.#frames.send(greet(deps.handlers));
  }

  get peer(): Hello | undefined {
    return this.#peer;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get status() {
    return {
      queuedBytes: this.#frames.queuedBytes,
      sentBytes: this.#frames.sentBytes,
      receivedBytes: this.#frames.receivedBytes,
      dropped: this.#dropped,
      roundTripMs: this.#roundTripMs,
    };
  }

  send(item: Outgoing): boolean {
    if (this.#frames.send(item)) return true;
    this.#dropped += 1;
    this.#deps.events.onDropped(this.address);
    return false;
  }

  request(request: OutgoingRequest): void {
    const correlation = this.#nextCorrelation;
    this.#nextCorrelation = correlation === 0xffff_ffff ? 1 : correlation + 1;
    const item = request.start(correlation);
    this.#requests.set(correlation, request);
    request.onDone = () => {
      this.#requests.delete(correlation);
      this.#frames.cancel(item);
    };
    if (this.#frames.send(item)) return;
    const { queueBytesMax } = this.#options;
    request.fail(
      'OVERLOADED',
      `more than ${queueBytesMax} bytes wait for ${this.address} (peer.queueBytesMax)`,
    );
  }

  /** Says goodbye and ends the link; what still waits for an answer fails. */
  end(reason: string, code: PeerError['code'] = 'UNREACHABLE'): void {
    if (this.#state === 'closed' || this.#state === 'ending') return;
    this.#setEnd(reason, code, false);
    this.#state = 'ending';
    this.#served.abort();
    this.#failRequests();
    this.#frames.end();
    this.#armGrace();
  }

  /** Ends the link at once. */
  destroy(reason: string): void {
    this.#destroy(reason);
  }

  #destroy(reason: string): void {
    this.#setEnd(reason, 'UNREACHABLE', false);
    this.#frames.destroy();
  }

  #setEnd(reason: string, code: PeerError['code'], isProtocolError: boolean): void {
    this.#end ??= { reason, code, isProtocolError, wasOpen: this.#state === 'open' };
  }

  /** The other side may never close its half. */
  #armGrace(): void {
    this.#timer.cancel();
    this.#timer = this.#deps.clock.setTimer(this.#options.closeGraceMs, () => this.#frames.destroy());
  }

  #onClosed(error: Error | undefined): void {
    const reason = error?.message ?? 'the connection was closed by the other side';
    this.#setEnd(reason, 'UNREACHABLE', error instanceof ProtocolError);
    this.#state = 'closed';
    this.#timer.cancel();
    this.#served.abort();
    this.#failRequests();
    this.#deps.onEnd(this.#end as LinkEnd);
  }

  #failRequests(): void {
    const { code, reason } = this.#end as LinkEnd;
    for (const request of [...this.#requests.values()]) request.fail(code, `${this.address}: ${reason}`);
  }

  #onFrame(frame: Frame): void {
    this.#silentMs = 0;
    if (frame.kind === 'goodbye') {
      this.end('the other side said goodbye');
      return;
    }
    switch (this.#state) {
      case 'greeting':
        this.#onHandshake(frame);
        return;
      case 'greeted':
        if (frame.kind === 'hello-refused') {
          this.#onHandshake(frame);
          return;
        }
        this.#open();
        this.#onOpenFrame(frame);
        return;
      case 'open':
        this.#onOpenFrame(frame);
        return;
      case 'ending':
      case 'closed':
        return;
    }
  }

  #onHandshake(frame: Frame): void {
    const { handlers } = this.#deps;
    const step = this.#state === 'greeted' ? takeFirstFrame(frame) : answerHello(frame, handlers);
    if (step.type === 'refused') {
      this.#onRefused(step);
      return;
    }
    this.#peer = step.peer;
    this.#frames.allowFullFrames();
    if (this.role === 'dialler') {
      this.#open();
      return;
    }
    this.#state = 'greeted';
    this.#frames.send(greet(handlers));
  }

  #onRefused({ by, refusal, peer }: Extract<HandshakeStep, { type: 'refused' }>): void {
    const known = peer ?? this.#peer;
    const who = by === 'us' ? 'this node refused the link' : 'the other side refused the link';
    this.#setEnd(`${who}: ${refusal.code}: ${refusal.message}`, 'REFUSED', false);
    this.#state = 'ending';
    if (by === 'us') this.#sendRefusal(refusal);
    else this.#frames.end();
    this.#armGrace();
    const address = this.role === 'listener' ? (known?.peerAddress ?? this.address) : this.address;
    this.#deps.handlers.onRefused(address, by, refusal, known);
  }

  #sendRefusal(refusal: HelloRefusal): void {
    this.#frames.refuse(outgoing('hello-refused', 'urgent', encodeBody(refusal)), new Error(refusal.message));
  }

  #open(): void {
    this.#state = 'open';
    this.#lastTickAtMs = this.#deps.clock.monotonicMs();
    this.#deps.onOpen(this.#peer as Hello);
    this.#deps.handlers.onLink(this.#peer as Hello);
    this.#onTick();
  }

  /** Every `heartbeatMs` while the link is open. */
  #onTick(): void {
    if (this.#state !== 'open') return;
    const { clock } = this.#deps;
    const { heartbeatMs, idleTimeoutMs } = this.#options;
    this.#timer.cancel();
    const nowMs = clock.monotonicMs();
    this.#countSilence(nowMs);
    if (this.#silentMs >= idleTimeoutMs) {
      this.#destroy(`nothing came for ${idleTimeoutMs} ms (peer.idleTimeoutMs)`);
      return;
    }
    if (this.role === 'dialler') this.#sendHeartbeat(nowMs);
    this.#timer = clock.setTimer(heartbeatMs, () => this.#onTick());
  }

  /**
   * After a pause (the process was stopped, or busy) timers run before the socket is read: only time in which frames
   * could have been read counts, or every pause would end all links.
   */
  #countSilence(nowMs: number): void {
    this.#silentMs += Math.min(nowMs - this.#lastTickAtMs, 2 * this.#options.heartbeatMs);
    this.#lastTickAtMs = nowMs;
  }

  #sendHeartbeat(nowMs: number): void {
    const sequence = (this.#heartbeat.sequence + 1) >>> 0;
    this.#heartbeat = { sequence, sentAtMs: nowMs };
    this.#frames.send(outgoing('heartbeat', 'urgent', undefined, sequence));
  }

  #onOpenFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'message':
        this.#deps.handlers.onMessage(this.#peer as Hello, decodeMessage(frame.payload));
        return;
      case 'replica':
        this.#deps.handlers.onMessage(this.#peer as Hello, { type: 'replica', batch: frame.payload });
        return;
      case 'request':
        this.#serve(frame);
        return;
      case 'reply':
        this.#onReply(frame);
        return;
      case 'heartbeat':
        this.#frames.send(outgoing('heartbeat-reply', 'urgent', undefined, frame.correlation));
        return;
      case 'heartbeat-reply':
        this.#onHeartbeatReply(frame);
        return;
      case 'goodbye':
      case 'hello':
      case 'hello-refused':
        throw new ProtocolError(`a ${frame.kind} frame after the handshake`);
    }
  }

  #onHeartbeatReply({ correlation }: Frame): void {
    if (correlation !== this.#heartbeat.sequence) return;
    this.#roundTripMs = this.#deps.clock.monotonicMs() - this.#heartbeat.sentAtMs;
  }

  /** A reply to nothing is late: its request has timed out. */
  #onReply({ correlation, payload }: Frame): void {
    const reply = decodeReply(payload);
    this.#requests.get(correlation)?.complete(reply);
  }

  #serve({ correlation, payload }: Frame): void {
    const request = decodeRequest(payload);
    if (this.#servedCount >= REQUESTS_SERVED_MAX) {
      const message = `more than ${REQUESTS_SERVED_MAX} requests of one link are being served`;
      this.#reply(correlation, { type: 'busy', message });
      return;
    }
    this.#servedCount += 1;
    const { handlers, events } = this.#deps;
    handlers
      .onRequest(this.#peer as Hello, request, this.#served.signal)
      .then((reply) => this.#reply(correlation, reply))
      .catch((error: unknown) => events.onRequestFailed(this.address, error))
      .finally(() => {
        this.#servedCount -= 1;
      });
  }

  #reply(correlation: number, reply: PeerReply): void {
    if (this.#state !== 'open') return;
    const { payload, tail } = encodeReply(reply);
    const { frameBytesMax } = this.#options;
    const bytes = payload.length + tail.length;
    if (bytes <= frameBytesMax) {
      this.send(outgoing('reply', laneOfReply(reply), payload, correlation, tail));
      return;
    }
    const message = `a reply of ${bytes} bytes; at most ${frameBytesMax} (peer.frameBytesMax)`;
    this.#deps.events.onRequestFailed(this.address, new Error(message));
  }
}
