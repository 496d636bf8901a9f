import { ProtocolError } from '../../peer/frame.ts';
import type { Hello, HelloRefusal, PeerMessage, PeerReply, PeerRequest } from '../../peer/messages.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type LinkStatus,
  PeerError,
  type RequestOptions,
  type Transport,
  type TransportHandlers,
} from '../../ports/transport.ts';
import type { SimProcess } from '../sim-process.ts';
import { LinkEnd, type Waiting } from './link.ts';
import type { Carriage } from './network.ts';
import { machineOf, type Switchboard } from './switchboard.ts';

export type SimTransportOptions = {
  readonly machine: string;
  /** `machine.life:port`: another one in each life. */
  readonly address: string;
  readonly connectTimeoutMs: number;
  readonly reconnectMs: number;
};

export type SimTransportDeps = {
  readonly board: Switchboard;
  readonly process: SimProcess;
  readonly clock: Clock;
};

/** Messages that wait for one link to open; more are dropped. */
const WAITING_MAX = 256;

/**
 * The transport port of one process over the simulated network. A link is made by a handshake of three messages (hello,
 * hello, confirmation), ends at each side by itself, and the other side learns of it later, or at its next message.
 */
export class SimTransport implements Transport {
  readonly machine: string;
  readonly address: string;
  readonly process: SimProcess;
  readonly #options: SimTransportOptions;
  readonly #board: Switchboard;
  readonly #clock: Clock;
  /** What is sent to an address goes here. */
  readonly #links = new Map<string, LinkEnd>();
  /** All that are not closed: also those in a handshake, and second ones to one peer. */
  readonly #ends = new Set<LinkEnd>();
  readonly #retryAtMs = new Map<string, number>();
  #handlers: TransportHandlers | undefined;
  #isClosed = false;

  constructor(options: SimTransportOptions, { board, process, clock }: SimTransportDeps) {
    this.#options = options;
    this.machine = options.machine;
    this.address = options.address;
    this.#board = board;
    this.process = process;
    this.#clock = clock;
  }

  async start(handlers: TransportHandlers): Promise<void> {
    this.#handlers = handlers;
    if (this.process.isAlive) this.#board.listen(this);
  }

  send(address: string, message: PeerMessage): boolean {
    if (!this.#isUp) return false;
    this.#board.watch.onSend(this, message);
    const payload = this.#board.wire.message(message);
    const link = this.#linkTo(address);
    if (link === undefined) return false;
    return this.#whenOpen(link, { send: () => this.#transmit(link, payload), fail: () => {} });
  }

  request(address: string, request: PeerRequest, { timeoutMs, signal }: RequestOptions): Promise<PeerReply> {
    return new Promise((resolve, reject) => {
      const link = this.#isUp && !signal.aborted ? this.#linkTo(address) : undefined;
      if (link === undefined) return reject(signal.aborted ? aborted(true) : unreachable(address));
      let isUnsent = true;
      let isEnded = false;
      const end = (finish: () => void): void => {
        isEnded = true;
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        link.unanswered.delete(fail);
        finish();
      };
      const fail = (error: PeerError): void => end(() => reject(error));
      const onAbort = (): void => fail(aborted(isUnsent));
      const timer = this.#clock.setTimer(timeoutMs, () => fail(timedOut(address, isUnsent)));
      signal.addEventListener('abort', onAbort, { once: true });
      const payload = this.#board.wire.request(request);
      const send = (): void => {
        // Whoever asked was told that nothing left this node.
        if (isEnded) return;
        isUnsent = false;
        link.unanswered.add(fail);
        this.#ask(link, payload, (reply) => end(() => resolve(reply)));
      };
      this.#whenOpen(link, { send, fail });
    });
  }

  reset(): void {
    for (const link of [...this.#ends]) this.#close(link, closed());
    this.#retryAtMs.clear();
  }

  links(): readonly LinkStatus[] {
    return [...this.#links.values()].map((link) => ({
      address: link.address,
      name: link.hello?.name,
      state: link.state === 'open' ? 'open' : 'connecting',
      queuedBytes: 0,
      sentBytes: link.sent,
      receivedBytes: 0,
      dropped: 0,
      roundTripMs: undefined,
    }));
  }

  async close(): Promise<void> {
    this.disconnect();
  }

  /** The process has ended, by itself or not: the kernel closes its connections. */
  disconnect(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#board.silence(this);
    this.reset();
  }

  get #isUp(): boolean {
    return !this.#isClosed && this.#handlers !== undefined && this.process.isAlive;
  }

  get #handle(): TransportHandlers {
    if (this.#handlers === undefined) throw new Error('the transport has not been started');
    return this.#handlers;
  }

  /** False where it was told to fail. */
  #whenOpen(link: LinkEnd, waiting: Waiting): boolean {
    if (link.state !== 'open' && link.waiting.length >= WAITING_MAX) {
      waiting.fail(new PeerError('OVERLOADED', `too much waits for ${link.address}`, { isUnsent: true }));
      return false;
    }
    if (link.state === 'open') waiting.send();
    else link.waiting.push(waiting);
    return true;
  }

  #linkTo(address: string): LinkEnd | undefined {
    const link = this.#links.get(address);
    if (link !== undefined) return link;
    if ((this.#retryAtMs.get(address) ?? 0) > this.#clock.monotonicMs()) return undefined;
    return this.#dial(address);
  }

  #dial(address: string): LinkEnd {
    const link = new LinkEnd(this, address);
    this.#links.set(address, link);
    this.#ends.add(link);
    const hello = this.#board.wire.hello(this.#handle.hello());
    link.said = hello;
    this.#giveUpLater(link);
    this.#board.network.carry(this.machine, machineOf(address), 'control', () => {
      const target = this.#board.at(address);
      if (target === undefined) this.#refuseConnection(link);
      else target.process.run(() => target.#answerDial(link, hello));
    });
    return link;
  }

  #giveUpLater(link: LinkEnd): void {
    this.#clock.setTimer(this.#options.connectTimeoutMs, () => {
      if (link.state === 'connecting') this.#giveUp(link, unreachable(link.address));
    });
  }

  /** Nobody listens there. */
  #refuseConnection(link: LinkEnd): void {
    this.#toDialler(link, machineOf(link.address), () => this.#giveUp(link, unreachable(link.address)));
  }

  #toDialler(link: LinkEnd, from: string, act: () => void): void {
    const { network } = this.#board;
    network.carry(from, link.owner.machine, 'control', () => link.owner.process.run(act));
  }

  /** The second step of a handshake, at the one that was dialled. */
  #answerDial(dialler: LinkEnd, hello: Hello): void {
    if (!this.#isUp) return;
    const refusal = this.#handle.judge(hello);
    if (refusal !== undefined) {
      this.#handle.onRefused(hello.peerAddress, 'us', refusal, hello);
      this.#toDialler(dialler, this.machine, () => dialler.owner.#wasRefused(dialler, refusal));
      return;
    }
    const end = new LinkEnd(this, hello.peerAddress);
    this.#ends.add(end);
    end.remote = dialler;
    end.hello = hello;
    this.#giveUpLater(end);
    const own = this.#board.wire.hello(this.#handle.hello());
    end.said = own;
    this.#toDialler(dialler, this.machine, () => dialler.owner.#confirm(dialler, end, own));
  }

  #wasRefused(link: LinkEnd, refusal: HelloRefusal): void {
    if (link.state !== 'connecting') return;
    this.#handle.onRefused(link.address, 'them', refusal, undefined);
    this.#giveUp(link, refused(refusal));
  }

  /** The third step, at the dialler. */
  #confirm(link: LinkEnd, remote: LinkEnd, hello: Hello): void {
    if (link.state !== 'connecting' || !this.#isUp) {
      this.#tellClosed(remote);
      return;
    }
    const refusal = this.#handle.judge(hello);
    if (refusal === undefined) {
      link.remote = remote;
      this.#open(link, hello);
      this.#tell(remote, () => remote.owner.#confirmed(remote));
    } else {
      this.#handle.onRefused(link.address, 'us', refusal, hello);
      this.#giveUp(link, refused(refusal));
      this.#tell(remote, () => remote.owner.#wasRefused(remote, refusal));
    }
  }

  /** The confirmation has come, or something that was sent after it. */
  #confirmed(end: LinkEnd): void {
    if (end.state !== 'connecting' || !this.#isUp || end.hello === undefined) return;
    // Another link to the same life stays, for what waits for it; one to an earlier life is dead.
    const known = this.#links.get(end.address);
    if (known?.state === 'open' && known.remote?.owner !== end.remote?.owner) this.#close(known, closed());
    if (this.#links.get(end.address) === undefined) this.#links.set(end.address, end);
    this.#open(end, end.hello);
  }

  #open(link: LinkEnd, hello: Hello): void {
    link.state = 'open';
    link.hello = hello;
    this.#retryAtMs.delete(link.address);
    if (link.said !== undefined) this.#board.watch.onLink(link.said, hello);
    this.#handle.onLink(hello);
    for (const waiting of link.waiting.splice(0)) waiting.send();
  }

  #transmit(link: LinkEnd, message: PeerMessage): void {
    this.#carryTo(link, message.type === 'replica' ? 'replica' : 'message', (end) => {
      this.#confirmAnd(end, (hello) => {
        this.#board.watch.onDeliver(end.owner, hello, message);
        end.owner.#receive(end, hello, message);
      });
    });
  }

  /** What breaks the protocol costs the link that it came over, as on real ones. */
  #receive(end: LinkEnd, from: Hello, message: PeerMessage): void {
    try {
      this.#handle.onMessage(from, message);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#close(end, closed());
    }
  }

  /** Runs `act` at the other end, in its process, unless it knows nothing of the link any more. */
  #carryTo(link: LinkEnd, carriage: Carriage, act: (end: LinkEnd) => void): void {
    const { remote } = link;
    if (remote === undefined || link.state !== 'open') return;
    link.sent += 1;
    this.#board.network.carry(this.machine, remote.owner.machine, carriage, () => {
      if (remote.state === 'closed') remote.owner.#tellClosed(link);
      else remote.owner.process.run(() => act(remote));
    });
  }

  #confirmAnd(end: LinkEnd, act: (hello: Hello) => void): void {
    end.owner.#confirmed(end);
    if (end.state === 'open' && end.hello !== undefined) act(end.hello);
  }

  #ask(link: LinkEnd, request: PeerRequest, onReply: (reply: PeerReply) => void): void {
    this.#carryTo(link, 'request', (end) => {
      this.#confirmAnd(end, (hello) => {
        const answer = (reply: PeerReply): void => {
          const payload = this.#board.wire.reply(reply);
          end.owner.#carryTo(end, 'request', () => onReply(payload));
        };
        end.owner.#serve(end, hello, request, answer);
      });
    });
  }

  /** An answer that never comes is a timeout at the asker. */
  #serve(end: LinkEnd, hello: Hello, request: PeerRequest, answer: (reply: PeerReply) => void): void {
    const controller = new AbortController();
    end.serving.add(controller);
    this.#handle
      .onRequest(hello, request, controller.signal)
      .then(answer, () => {})
      .finally(() => end.serving.delete(controller));
  }

  /** Closes this end; the other one learns of it a little later. */
  #close(link: LinkEnd, error: PeerError): void {
    if (link.state === 'closed') return;
    if (link.remote !== undefined) this.#tellClosed(link.remote);
    this.#end(link, error);
  }

  #tellClosed(other: LinkEnd): void {
    this.#tell(other, () => other.owner.#end(other, closed()));
  }

  #tell({ owner }: LinkEnd, act: () => void): void {
    const { network } = this.#board;
    network.carry(this.machine, owner.machine, 'control', () => owner.process.run(act));
  }

  #giveUp(link: LinkEnd, error: PeerError): void {
    if (link.state === 'closed') return;
    this.#retryAtMs.set(link.address, this.#clock.monotonicMs() + this.#options.reconnectMs);
    this.#end(link, error);
  }

  #end(link: LinkEnd, error: PeerError): void {
    if (link.state === 'closed') return;
    link.state = 'closed';
    this.#ends.delete(link);
    if (this.#links.get(link.address) === link) this.#links.delete(link.address);
    const unsent = new PeerError(error.code, error.message, { isUnsent: true });
    for (const waiting of link.waiting.splice(0)) waiting.fail(unsent);
    for (const fail of [...link.unanswered]) fail(error);
    for (const controller of link.serving) controller.abort();
    if (this.#isUp) this.#handle.onUnlink?.(link.address);
  }
}

const unreachable = (address: string): PeerError =>
  new PeerError('UNREACHABLE', `nobody answers at ${address}`, { isUnsent: true });
const timedOut = (address: string, isUnsent: boolean): PeerError =>
  new PeerError('TIMEOUT', `${address} did not answer in time`, { isUnsent });
const aborted = (isUnsent: boolean): PeerError =>
  new PeerError('ABORTED', 'the request was given up', { isUnsent });
const closed = (): PeerError =>
  new PeerError('CLOSED', 'the link was closed before the answer came', { isUnsent: false });
const refused = ({ code, message }: HelloRefusal): PeerError =>
  new PeerError('REFUSED', `the handshake was refused: ${code}: ${message}`, { isUnsent: true });
