import type { Lane, PeerReply } from '../../peer/messages.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { PeerError, type RequestOptions } from '../../ports/transport.ts';
import { type Outgoing, outgoing } from './send-queue.ts';

/** A request from its making to its end: a reply, or the first reason why there is none. */
export class OutgoingRequest {
  readonly address: string;
  readonly payload: Uint8Array;
  readonly lane: Lane;
  readonly promise: Promise<PeerReply>;
  /** Called once, with what was on its way to the socket, or undefined. */
  onDone: (item: Outgoing | undefined) => void = () => {};
  #item: Outgoing | undefined;
  #isDone = false;
  readonly #resolve: (reply: PeerReply) => void;
  readonly #reject: (error: PeerError) => void;
  readonly #timer: Timer;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.fail('ABORTED', `the request to ${this.address} was given up`);

  constructor(
    options: RequestOptions & {
      readonly address: string;
      readonly payload: Uint8Array;
      readonly lane: Lane;
    },
    deps: { readonly clock: Clock },
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<PeerReply>();
    this.address = options.address;
    this.payload = options.payload;
    this.lane = options.lane;
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = options.signal;
    const onTimeout = (): void => this.fail('TIMEOUT', `no answer within ${options.timeoutMs} ms`);
    this.#timer = deps.clock.setTimer(options.timeoutMs, onTimeout);
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** What to put on a link; made once, since a request is never sent twice. */
  start(correlation: number): Outgoing {
    this.#item = outgoing('request', this.lane, this.payload, correlation);
    return this.#item;
  }

  complete(reply: PeerReply): void {
    if (this.#finish()) this.#resolve(reply);
  }

  fail(code: PeerError['code'], message: string): void {
    const isUnsent = this.#item === undefined || !this.#item.isStarted;
    if (this.#finish()) this.#reject(new PeerError(code, message, { isUnsent }));
  }

  #finish(): boolean {
    if (this.#isDone) return false;
    this.#isDone = true;
    this.#timer.cancel();
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.onDone(this.#item);
    return true;
  }
}
