import type { Exchange } from './exchange.ts';
import { ClientGoneError } from './problem.ts';

/**
 * Aborts when the client has gone; with `waitMs` also after that time, and when the server begins to close.
 * Disposing it leaves no listener behind.
 */
export class RequestSignal implements Disposable {
  readonly #exchange: Exchange;
  readonly #controller = new AbortController();
  readonly #cleanUp = new DisposableStack();

  constructor(exchange: Exchange, waitMs?: number) {
    this.#exchange = exchange;
    const { res, context } = exchange;
    const abort = (): void => this.#controller.abort();
    res.once('close', abort);
    this.#cleanUp.defer(() => res.off('close', abort));
    if (this.isGone) abort();
    if (waitMs === undefined) return;
    const timer = context.clock.setTimer(waitMs, abort);
    this.#cleanUp.defer(() => timer.cancel());
    const closing = context.closing.signal;
    closing.addEventListener('abort', abort);
    this.#cleanUp.defer(() => closing.removeEventListener('abort', abort));
    if (closing.aborted) abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isGone(): boolean {
    const { socket } = this.#exchange.res;
    return socket === null || socket.destroyed;
  }

  [Symbol.dispose](): void {
    this.#cleanUp.dispose();
  }
}

/** Runs `work`, which `signal` ends when nobody waits for its answer any longer. */
export async function whileAsked<Result>(
  exchange: Exchange,
  work: (signal: AbortSignal) => Promise<Result>,
  waitMs?: number,
): Promise<Result> {
  using request = new RequestSignal(exchange, waitMs);
  try {
    const result = await work(request.signal);
    if (!request.isGone) return result;
  } catch (error) {
    if (!request.isGone) throw error;
  }
  throw new ClientGoneError('the client has gone');
}
